// Compiles the style sheet and collects the scripts and drawings into static/, each under a name that
// carries the hash of its content, so that browsers may keep it for ever; manifest.json tells the names.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { compile } from "sass";

const here = dirname(fileURLToPath(import.meta.url));
const modules = join(here, "..", "..", "..", "node_modules");
const target = join(here, "static");
const list = join(target, "manifest.json");
const before = existsSync(list) ? Object.values(JSON.parse(readFileSync(list, "utf8"))) : [];
const manifest = {};

function add(name, content) {
  const bytes = Buffer.from(content);
  const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 16);
  const end = extname(name);
  const hashed = `${name.slice(0, -end.length)}.${hash}${end}`;
  writeFileSync(join(target, hashed), bytes);
  writeFileSync(join(target, `${hashed}.gz`), gzipSync(bytes, { level: 9 }));
  writeFileSync(join(target, `${hashed}.br`), brotliCompressSync(bytes));
  manifest[name] = hashed;
}

mkdirSync(target, { recursive: true });
const style = compile(join(here, "sass", "portal.scss"), {
  loadPaths: [modules],
  quietDeps: true,
  style: "compressed",
});
add("portal.css", style.css);

const library = readFileSync(join(modules, "govuk-frontend", "dist", "govuk", "govuk-frontend.min.js"), "utf8");
add("govuk-frontend.js", library.replace(/\/\/# sourceMappingURL=.*\s*$/, ""));
const own = readFileSync(join(here, "js", "portal.js"), "utf8");
add("portal.js", own.replace("./govuk-frontend.js", `./${manifest["govuk-frontend.js"]}`));
add("authoring.js", readFileSync(join(here, "js", "authoring.js"), "utf8"));
add("toolbar.js", readFileSync(join(here, "js", "toolbar.js"), "utf8"));
add("search.js", readFileSync(join(here, "js", "search.js"), "utf8"));
add("checks.js", readFileSync(join(here, "js", "checks.js"), "utf8"));
add("register.js", readFileSync(join(here, "js", "register.js"), "utf8"));
add("syndicates.js", readFileSync(join(here, "js", "syndicates.js"), "utf8"));
add("exercise.js", readFileSync(join(here, "js", "exercise.js"), "utf8"));
add("passkeys.js", readFileSync(join(here, "js", "passkeys.js"), "utf8"));

for (const name of readdirSync(join(here, "assets")).sort()) {
  add(name, readFileSync(join(here, "assets", name)));
}

// The manifest changes last and at once. Files of the build before stay, because a process that began
// with them still names them; older ones go.
writeFileSync(`${list}.new`, `${JSON.stringify(manifest, null, 2)}\n`);
renameSync(`${list}.new`, list);
const kept = new Set([...before, ...Object.values(manifest)]);
for (const name of readdirSync(target)) {
  if (name !== "manifest.json" && !kept.has(name.replace(/\.(gz|br)$/, ""))) {
    rmSync(join(target, name));
  }
}
