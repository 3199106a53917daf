// Installs what the lock file names, unless just that is there already: `node install.mjs`.

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";

const here = (name) => new URL(name, import.meta.url);
const wanted = readFileSync(here("package-lock.json"), "utf8");
const mark = here("node_modules/.installed-lock.json");

if (!existsSync(mark) || readFileSync(mark, "utf8") !== wanted) {
  const options = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
  const { status } = spawnSync("npm", options, { cwd: here("."), stdio: ["ignore", "ignore", "inherit"] });
  if (status !== 0) process.exit(1);
  writeFileSync(mark, wanted);
}
