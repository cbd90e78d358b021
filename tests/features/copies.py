"""Copies of the portal, to be changed and tried."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STATIC = "portal/pages/layout/static"


def run_python(*words: str, cwd: Path = ROOT) -> str:
    """Run Python as the tests do, in a process of its own; what it printed."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PORTAL_MODE": "demo"}
    done = subprocess.run(
        [sys.executable, *words], cwd=cwd, capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def copy_portal(folder: Path, without: tuple[str, ...] = ()) -> None:
    """Copy all that git knows or would know, but for what is below these folders, and the built assets."""
    files = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    for file in files:
        if not file.startswith(without) and (ROOT / file).exists():
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / file, folder / file)
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)  # tests ask which files there are
    shutil.copytree(ROOT / STATIC, folder / STATIC)
