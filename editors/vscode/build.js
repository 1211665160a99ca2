// Bundles the extension into one file, so that it runs without node_modules, with the licences of what it contains.

"use strict";

const fs = require("node:fs");
const path = require("node:path");

const esbuild = require("esbuild");

const OPTIONS = {
  entryPoints: ["src/extension.js"],
  outfile: "dist/extension.js",
  bundle: true,
  minify: true,
  platform: "node",
  target: "node20",
  external: ["vscode"],
  metafile: true,
  absWorkingDir: __dirname,
};

// The folders of the packages whose files are in the bundle.
function bundled(metafile) {
  const folders = Object.keys(metafile.inputs).map((file) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1]);
  return [...new Set(folders.filter(Boolean))].sort();
}

function licence(folder) {
  const { name, version, license } = JSON.parse(fs.readFileSync(path.join(folder, "package.json"), "utf8"));
  const file = fs.readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
  if (!file) throw new Error(`${name} comes without its licence (${license})`);
  return `${name} ${version}\n\n${fs.readFileSync(path.join(folder, file), "utf8").trim()}\n`;
}

const { metafile } = esbuild.buildSync(OPTIONS);
const licences = bundled(metafile).map((folder) => licence(path.join(__dirname, folder)));
fs.writeFileSync(path.join(__dirname, "dist", "LICENSES.txt"), licences.join(`\n${"-".repeat(80)}\n\n`));
fs.copyFileSync(path.join(__dirname, "..", "..", "LICENSE"), path.join(__dirname, "LICENSE"));
