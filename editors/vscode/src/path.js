"use strict";

const os = require("node:os");

// The path of the setting with what stands for the folder of the workspace and of the user put in.
function expanded(path, folder) {
  const home = path.startsWith("~/") ? os.homedir() + path.slice(1) : path;
  return home.replaceAll("${workspaceFolder}", folder ?? ".");
}

module.exports = { expanded };
