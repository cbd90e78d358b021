# What a person types. `make run` and `make test` set up all they need.
PYTHON ?= $(shell command -v python3.13 || command -v python3.12 || command -v python3.11 || echo python3)
VENV := .venv
BIN := $(VENV)/bin
export PORT ?= 8000
export BIND ?= 127.0.0.1
export PYTHONDONTWRITEBYTECODE :=  # what one process compiles, the next need not

.PHONY: run run-with-sign-in setup first-run test test-full golden golden-compare check linted typed tested content-audit metrics-table legal-review sense-sheet sense-key data-model examples pages lock fonts sbom licences bench hostile wheel release clean

run: export PORTAL_MODE := demo
run: setup
	@$(BIN)/python -m flask --app wsgi demo prepare
	@exec $(BIN)/python serve.py

# The same with an identity provider beside it: any staff number of the demo signs in without a password.
run-with-sign-in: export PORTAL_MODE := demo
run-with-sign-in: export PROVIDER_PORT ?= 8090
run-with-sign-in: export PORTAL_ADDRESS := http://127.0.0.1:$(PORT)
run-with-sign-in: export OIDC_ISSUER := http://127.0.0.1:$(PROVIDER_PORT)
run-with-sign-in: export OIDC_CLIENT_ID := portal
run-with-sign-in: export OIDC_CLIENT_SECRET := demo-secret
run-with-sign-in: export OIDC_MATCH_CLAIM := employee_id
run-with-sign-in: export OIDC_MATCH_FIELD := staff_number
run-with-sign-in: export OIDC_LABEL := the demo provider
run-with-sign-in: setup
	@$(BIN)/python -m flask --app wsgi demo prepare
	@node portal/demo/sign_in_provider.mjs & trap "kill $$!" EXIT INT TERM; $(BIN)/python serve.py

# What fetches packages says in one sentence where there is no way to them. Programs of the environment are begun
# by its Python, so that a folder that was moved goes on working: their own first lines name the old path.
FETCH = @echo "$(1)"; $(1) || { echo "The packages could not be fetched: is there a way to the package registry from here?" >&2; exit 1; }

setup: $(VENV)/.base portal/pages/layout/static/manifest.json

$(VENV)/.base: requirements/base.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(call FETCH,$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/base.txt)
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.base
	$(call FETCH,$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt)
	@touch $@

node_modules/.ready: package-lock.json
	@command -v node >/dev/null && command -v npm >/dev/null || { echo "Node 20.19 or newer is needed, with npm" >&2; exit 1; }
	@node -e 'const [a,b]=process.versions.node.split(".").map(Number); if (a<20||(a===20&&b<19)) {console.error("Node 20.19 or newer is needed"); process.exit(1)}'
	$(call FETCH,npm ci --silent --no-audit --no-fund --ignore-scripts)
	@touch $@

portal/pages/layout/static/manifest.json: node_modules/.ready portal/pages/layout/build.mjs $(wildcard portal/pages/layout/sass/* portal/pages/layout/js/* portal/pages/layout/assets/*)
	npm run --silent build

check: export PORTAL_MODE := demo
check: $(VENV)/.dev portal/pages/layout/static/manifest.json
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	@$(MAKE) --no-print-directory --jobs=3 linted typed tested

linted:
	$(BIN)/djlint --check --quiet portal
	$(BIN)/djlint --lint --quiet portal
	$(BIN)/deptry --config requirements/deptry.toml .

typed:
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m flask --app wsgi modules check modules
	$(BIN)/python -m flask --app wsgi exercises check exercises

tested:
	$(BIN)/python -m pytest -n 2 --times --quick -m "not postgresql and not browser and not slow and not sweep"

# Three workers for two processors: tests that wait for a browser, a server or a clock leave one free.
test: $(VENV)/.dev portal/pages/layout/static/manifest.json
	@sh tests/system-packages.sh
	$(BIN)/python -m pytest -n 3 --times -rR -m "not sweep"

# Before an issue is called resolved: the long sweeps too, and the counts of kills and power cuts.
test-full: $(VENV)/.dev portal/pages/layout/static/manifest.json
	@sh tests/system-packages.sh
	$(BIN)/python -m pytest -n 2 --times
	@$(MAKE) --no-print-directory hostile

# What the portal shows, sends and holds, as texts in build/golden: KEPT is made once, before a change that is to
# change nothing; golden-compare makes another and says what differs, exit 1 if anything does.
KEPT ?= build/golden/kept
golden golden-compare: export PORTAL_MODE := demo
golden: $(VENV)/.dev portal/pages/layout/static/manifest.json
	$(BIN)/python -m tests.golden record $(KEPT)

golden-compare: $(VENV)/.dev portal/pages/layout/static/manifest.json
	$(BIN)/python -m tests.golden record build/golden/new
	@$(BIN)/python -m tests.golden compare $(KEPT) build/golden/new

# For authors of modules, from the folder of all: tools/content.
CONTENT := $(BIN)/python -m tools.content
# docs/modules/content-audit.md: what passes the assessment without the lessons; exit 1 where an aim is missed
content-audit: $(VENV)/.dev
	$(CONTENT) audit modules --into docs/modules/content-audit.md

metrics-table: $(VENV)/.dev  # the tables of docs/modules.md: lessons, words, minutes, items by kind and outcome
	$(CONTENT) table modules --into docs/modules.md

legal-review: $(VENV)/.dev  # docs/modules/legal-review.md: every statement of law, with room for a solicitor's name
	$(CONTENT) legal-review modules --into docs/modules/legal-review.md

# SHEET=PATH: questions without their keys, for a sensible reader; then their answers, into common-sense.toml
sense-sheet: $(VENV)/.dev  # MORE=--all: also what is answered already
	$(CONTENT) sense-sheet modules $(SHEET) $(MORE)

sense-key: $(VENV)/.dev  # MORE=--knows-lessons: the reader had seen the lessons
	$(CONTENT) sense-key modules $(SHEET) $(MORE)

data-model: $(VENV)/.dev  # docs/data-model.md, docs/personal-data.md and docs/operating: settings and formats, from the code
	$(BIN)/python -m docs.draw_data_model
	$(BIN)/python -m docs.draw_personal_data
	$(BIN)/python -m docs.draw_settings
	$(BIN)/python -m docs.draw_formats

examples: $(VENV)/.dev  # docs/examples: the answer of the fictional force to an inspection
	$(BIN)/python -m docs.draw_examples

pages: $(VENV)/.dev portal/pages/layout/static/manifest.json  # docs/pages.md, and a picture of every page in build/pages
	@sh tests/system-packages.sh
	$(BIN)/python -m tests.journeys.draw_pages

# Writes the lock files from requirements/*.in and package.json. What is locked stays as it is where it still fits;
# LOCK=--upgrade takes the newest versions.
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-annotate --no-header --no-emit-index-url
lock: $(VENV)/.dev
	for name in base production postgresql dev; do $(COMPILE) $(LOCK) requirements/$$name.in -o requirements/$$name.txt || exit 1; done
	npm install --package-lock-only --omit-lockfile-registry-resolved --ignore-scripts --silent --no-audit --no-fund

fonts: $(VENV)/.dev  # portal/platform/documents/fonts, from packages of Debian and npm
	$(BIN)/python requirements/fonts.py

sbom:  # what is shipped, from the lock files: a bill of materials in CycloneDX
	@$(PYTHON) requirements/inventory.py sbom build/sbom.json

licences: $(VENV)/.dev  # the licence of each; exit 1 if pyproject.toml does not allow one
	$(BIN)/python requirements/inventory.py licences requirements/licences.csv

# build/portal-VERSION.tar.gz with its checksum: docs/operating/release.md says what it holds. RELEASE_KEY=PATH,
# a key of SSH that is kept elsewhere, signs it.
wheel: portal/pages/layout/static/manifest.json
	@$(PYTHON) requirements/wheel.py build

# Tags this commit as the version of pyproject.toml, after every check and test; nothing is pushed.
release: $(VENV)/.dev
	@commit=$$($(PYTHON) requirements/release.py check) && \
		$(MAKE) --no-print-directory check test wheel && \
		$(PYTHON) requirements/release.py tag $$commit

# Starts and stops `make run` twice, on a port and a folder of its own: what a clean clone does in its first minutes.
first-run:
	$(PYTHON) tests/first_run.py

bench: $(VENV)/.dev portal/pages/layout/static/manifest.json  # BENCH="--only hour", or n for a nation: benchmarks/README.md
	$(BIN)/python -m benchmarks $(BENCH)

BLOWS := --kills 10 --power-cuts 5 --postgresql-kills 3 --node-kills 5 --primary-restarts 3
hostile: export PORTAL_MODE := demo
hostile: $(VENV)/.dev portal/pages/layout/static/manifest.json  # kills and power cuts while people pass; exit 1 on a loss
	@sh tests/system-packages.sh nginx
	$(BIN)/python -m tests.hostile.durability $(or $(HOSTILE),$(BLOWS))

clean:
	rm -rf $(VENV) node_modules portal/pages/layout/static build
