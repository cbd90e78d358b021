// Compiles the style sheet and collects the scripts and drawings into static/, each under a name that
// carries the hash of its content, so that browsers may keep it for ever; manifest.json tells the names.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { compile } from "sass";

const here = dirname(fileURLToPath(import.meta.url));
const modules = join(here, "..", "..", "node_modules");
const target = join(here, "static");
const built = `${target}.new-${process.pid}`;
const manifest = {};

function add(name, content) {
  const bytes = Buffer.from(content);
  const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 16);
  const end = extname(name);
  const hashed = `${name.slice(0, -end.length)}.${hash}${end}`;
  writeFileSync(join(built, hashed), bytes);
  writeFileSync(join(built, `${hashed}.gz`), gzipSync(bytes, { level: 9 }));
  writeFileSync(join(built, `${hashed}.br`), brotliCompressSync(bytes));
  manifest[name] = hashed;
}

mkdirSync(built, { recursive: true });
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

for (const name of readdirSync(join(here, "assets")).sort()) {
  add(name, readFileSync(join(here, "assets", name)));
}
writeFileSync(join(built, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);

// The finished folder takes the old one's place at once, so a broken build leaves the old one standing.
rmSync(target, { recursive: true, force: true });
renameSync(built, target);
