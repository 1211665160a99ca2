"use strict";

const assert = require("node:assert");
const os = require("node:os");
const { test } = require("node:test");

const { expanded } = require("../src/path");

test("a name on the PATH stays", () => assert.strictEqual(expanded("cnnspec", "/w"), "cnnspec"));
test("the folder of the workspace", () =>
  assert.strictEqual(expanded("${workspaceFolder}/.venv/bin/cnnspec", "/w"), "/w/.venv/bin/cnnspec"));
test("the folder of the user", () => assert.strictEqual(expanded("~/bin/cnnspec"), `${os.homedir()}/bin/cnnspec`));
