// The bundle is loaded as VS Code loads it: beside nothing, with an editor that only pretends.

"use strict";

const assert = require("node:assert");
const fs = require("node:fs");
const Module = require("node:module");
const os = require("node:os");
const path = require("node:path");
const { test } = require("node:test");

const BUNDLE = path.join(__dirname, "..", "dist", "extension.js");

// Whatever is asked of the editor is a class that does nothing.
function pretended() {
  const known = { version: "1.91.0" };
  return new Proxy(known, {
    get: (target, name) => (name in target || typeof name === "symbol" ? target[name] : (target[name] = class {})),
  });
}

test("the bundle needs nothing but the editor", () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "extension-"));
  const alone = path.join(folder, "extension.js");
  fs.copyFileSync(BUNDLE, alone);
  const load = Module._load;
  Module._load = (name, ...rest) => (name === "vscode" ? pretended() : load(name, ...rest));
  try {
    const { activate, deactivate } = require(alone);
    assert.strictEqual(typeof activate, "function");
    assert.strictEqual(typeof deactivate, "function");
  } finally {
    Module._load = load;
    fs.rmSync(folder, { recursive: true });
  }
});

test("what the manifest names is there", () => {
  const manifest = require("../package.json");
  const files = [
    manifest.main,
    ...manifest.contributes.languages.map((language) => language.configuration),
    ...manifest.contributes.grammars.map((grammar) => grammar.path),
  ];
  for (const file of files) assert.ok(fs.existsSync(path.join(__dirname, "..", file)), file);
  for (const grammar of manifest.contributes.grammars) {
    assert.strictEqual(require(path.join(__dirname, "..", grammar.path)).scopeName, grammar.scopeName);
  }
});

test("versions of what is built with are exact", () => {
  const { devDependencies, dependencies } = require("../package.json");
  assert.strictEqual(dependencies, undefined);
  for (const version of Object.values(devDependencies)) assert.match(version, /^\d+\.\d+\.\d+$/);
});
