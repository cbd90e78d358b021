"""What a forked portal has loaded already; see ``tests/forked.py``. Importing this is loading it."""

import atexit
import shutil
import tempfile

import flask.cli
import waitress
from flask import Flask
from jinja2 import FileSystemBytecodeCache
from sqlalchemy.orm import configure_mappers

import portal.app
import portal.platform.jobs.worker
import serve
from portal.feature import list_features

__all__ = ["flask", "portal", "serve", "waitress"]

for feature in list_features():
    for name in (*feature.blueprints, *feature.tasks, *feature.routines):
        feature.load(name)
configure_mappers()
# Templates that one server has compiled, the next need not: it finds them by what they say.
compiled = tempfile.mkdtemp(prefix="portal-templates-")
atexit.register(shutil.rmtree, compiled)  # of this process alone: a copy ends without its atexit
Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": FileSystemBytecodeCache(compiled)}
