// The grammar, run as VS Code runs it: what words are, and that every example of the language is understood.

"use strict";

const assert = require("node:assert");
const fs = require("node:fs");
const path = require("node:path");
const { test } = require("node:test");

const oniguruma = require("vscode-oniguruma");
const { INITIAL, Registry, parseRawGrammar } = require("vscode-textmate");

const HERE = path.join(__dirname, "..");
const EXAMPLES = path.join(HERE, "..", "..", "examples");
const GRAMMAR = path.join(HERE, "syntaxes", "cnnspec.tmLanguage.json");
const WASM = require.resolve("vscode-oniguruma/release/onig.wasm");

async function grammar() {
  await oniguruma.loadWASM(new Uint8Array(fs.readFileSync(WASM)).buffer);
  const registry = new Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
      createOnigString: (text) => new oniguruma.OnigString(text),
    }),
    loadGrammar: async () => parseRawGrammar(fs.readFileSync(GRAMMAR, "utf8"), GRAMMAR),
  });
  return registry.loadGrammar("source.cnnspec");
}

const loaded = grammar();

// Words of a text with the innermost name the grammar gives them, without blanks.
async function words(text) {
  const language = await loaded;
  const found = [];
  let stack = INITIAL;
  for (const line of text.split("\n")) {
    const result = language.tokenizeLine(line, stack);
    stack = result.ruleStack;
    for (const token of result.tokens) {
      const word = line.slice(token.startIndex, token.endIndex).trim();
      if (word) found.push([word, token.scopes.at(-1).replace(".cnnspec", "")]);
    }
  }
  return { found, stack };
}

const CASES = [
  ["# model A", "# model A", "comment.line.number-sign"],
  ["model Net(classes=10) {", "model", "keyword.declaration"],
  ["model Net(classes=10) {", "Net", "entity.name.type"],
  ["model Net(classes=10) {", "classes", "variable.parameter"],
  ["  input 3x32x32", "3x32x32", "constant.numeric.shape"],
  ["  input 3x32x32", "input", "keyword.declaration"],
  ["  conv(8, 3)", "conv", "entity.name.function"],
  ["  conv(width, 3)", "width", "variable.other"],
  ["  conv1: conv(8, 3)", "conv1", "entity.name.tag"],
  ["  conv(8, 3), relu", "relu", "support.function.layer"],
  ["  flatten", "flatten", "support.function.layer"],
  ["  Pair(64)", "Pair", "entity.name.type"],
  ["  add {", "add", "keyword.other.combinator"],
  ["    | identity", "|", "keyword.operator.branch"],
  ["  relu  -> 64x?x?", "->", "keyword.operator.arrow"],
  ["  relu  -> 64x?x?", "64x?x?", "constant.numeric.shape"],
  ["  linear(? -> 10)", "?", "keyword.operator.hole"],
  ["  let k = x.channels // 2", "k", "variable.other.constant"],
  ["  let k = x.channels // 2", "x", "variable.language"],
  ["  let k = x.channels // 2", "channels", "variable.other.property"],
  ["  let k = x.channels // 2", "//", "keyword.operator.arithmetic"],
  ["  if a == 1 and not b {", "==", "keyword.operator.comparison"],
  ["  if a == 1 and not b {", "and", "keyword.operator.logical"],
  ["  if a == 1 and not b {", "if", "keyword.control"],
  ["  optimizer: adamw(lr=1e-3)", "1e-3", "constant.numeric.float"],
  ["  assert parameters == 814_122", "814_122", "constant.numeric.integer"],
  ['  "layer{i}": relu', "i", "variable.other"],
  ['use "blocks.cnn"', "use", "keyword.control"],
  ["  batchnorm(affine=false)", "false", "constant.language"],
];

for (const [text, word, scope] of CASES) {
  test(`${word} in: ${text.trim()}`, async () => {
    const { found } = await words(text);
    assert.deepStrictEqual(
      found.filter(([shown]) => shown === word).map(([, name]) => name).slice(0, 1),
      [scope],
    );
  });
}

for (const file of fs.readdirSync(EXAMPLES, { recursive: true }).filter((name) => name.endsWith(".cnn"))) {
  test(`every word of ${file} has a name`, async () => {
    const { found, stack } = await words(fs.readFileSync(path.join(EXAMPLES, file), "utf8"));
    assert.deepStrictEqual(found.filter(([, name]) => name === "source"), []);
    assert.strictEqual(stack.depth, 1, "a rule is still open at the end");
  });
}
