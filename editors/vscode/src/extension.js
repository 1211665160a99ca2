// Starts `cnnspec lsp` and leaves everything else to it.

"use strict";

const vscode = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

const { expanded } = require("./path");

const INSTALL = 'pip install "cnnspec[lsp]"';

let client;

async function start() {
  const path = vscode.workspace.getConfiguration("cnnspec").get("path", "cnnspec");
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath;
  const server = { command: expanded(path, folder), args: ["lsp"] };
  client = new LanguageClient("cnnspec", "cnnspec", server, { documentSelector: [{ language: "cnnspec" }] });
  try {
    await client.start();
  } catch {
    client = undefined;
    await explain(server.command);
  }
}

async function stop() {
  const running = client;
  client = undefined;
  await running?.stop();
}

async function restart() {
  await stop();
  await start();
}

// What to do where the program does not start.
async function explain(command) {
  const message = `"${command} lsp" does not start. Install it with: ${INSTALL}, or say where it is in the settings.`;
  const answer = await vscode.window.showErrorMessage(message, "Open settings", "Try again");
  if (answer === "Open settings") {
    await vscode.commands.executeCommand("workbench.action.openSettings", "cnnspec.path");
  } else if (answer === "Try again") {
    await restart();
  }
}

async function activate(context) {
  context.subscriptions.push(
    vscode.commands.registerCommand("cnnspec.restart", restart),
    vscode.workspace.onDidChangeConfiguration((event) => event.affectsConfiguration("cnnspec.path") && restart()),
  );
  await start();
}

module.exports = { activate, deactivate: stop };
