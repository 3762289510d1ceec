"""Small helpers the notebooks call: data, augmentation, networks, training, results, pictures."""
