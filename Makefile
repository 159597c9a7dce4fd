# Sets up, runs and checks Zorglijn. `make` alone lists what there is; `make run` is all a newcomer needs.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
# Every locked release has a wheel for every supported Python, so nothing of other people's is built on your machine.
LOCKED := --quiet --require-hashes --only-binary :all:
WORKERS ?= 2
# More words for the program that a target starts: make test ARGS="-k welcome"
ARGS ?=

.PHONY: help setup setup-dev setup-system run test quick lint bench screenshots lock

help:  ## list these commands
	@sed -nE 's/^([a-z-]+):.*  ## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

run: setup  ## set up what is missing and serve the line on http://127.0.0.1:8000
	@exec $(BIN)/zorglijn serve $(ARGS)

setup: $(VENV)/.made-runtime  ## make .venv with .venv/bin/zorglijn in it

setup-dev: $(VENV)/.made-dev

test: setup-dev setup-system  ## set up what the tests need and run them all
	@$(BIN)/pytest -n $(WORKERS) $(ARGS)

quick: setup-dev  ## run the tests that need no browser and no server
	@$(BIN)/pytest -n $(WORKERS) -m "not server and not browser" $(ARGS)

lint: setup-dev  ## check style, types, prompts and templates
	@$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/zorglijn prompts check
	$(BIN)/python -c "$$PARSE_TEMPLATES"

bench: setup-dev setup-system  ## measure a signed, durable step beside its rivals
	@$(BIN)/python -m bench $(ARGS)

screenshots: setup-dev setup-system  ## take the pictures of the README anew
	@$(BIN)/python docs/screenshots.py $(ARGS)

# The lock is made for every Python and platform at once; it names no index, so that yours is used.
COMPILE := uv pip compile --quiet --no-config --universal --python-version 3.11 --generate-hashes --no-header
lock:  ## lock the newest allowed versions with their hashes (needs uv)
	@$(COMPILE) --upgrade --group setup pyproject.toml -o requirements.txt
	$(COMPILE) --upgrade --group setup --group dev -c requirements.txt pyproject.toml -o requirements-dev.txt

$(VENV)/.made-venv:
	@$(FIND_PYTHON)
	$(APT)
	if ! "$$python" -c "import ensurepip, venv" 2>/dev/null; then
	    version=$$("$$python" -c "import sys; print('python%d.%d-venv' % sys.version_info[:2])")
	    apt_install "$$version"
	fi
	if ! $(BIN)/python -m pip --version >/dev/null 2>&1; then
	    echo "Making $(VENV) with $$("$$python" --version)"
	    "$$python" -m venv --clear $(VENV)
	fi
	touch $@

$(VENV)/.made-runtime: $(VENV)/.made-venv requirements.txt pyproject.toml
	@echo "Installing what the line needs"
	$(PIP) install $(LOCKED) -r requirements.txt
	$(PIP) install --quiet --no-deps --no-build-isolation -e .
	$(BIN)/python -m compileall -q app.py settings.py ivr callbacks
	touch $@

$(VENV)/.made-dev: $(VENV)/.made-runtime requirements-dev.txt
	@echo "Installing what the tests need"
	$(PIP) install $(LOCKED) -r requirements-dev.txt
	touch $@

# Programs that pip cannot bring. Ubuntu ships Chromium only as a snap: there Playwright brings one of its own.
setup-system: setup-dev
	@$(APT)
	missing=()
	ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || missing+=(postgresql)
	command -v espeak-ng >/dev/null || missing+=(espeak-ng)
	browser() { $(BIN)/python -c "from tests.servers import chromium; raise SystemExit(not chromium())"; }
	if ! browser && ! grep -q '^ID=ubuntu' /etc/os-release; then missing+=(chromium); fi
	if (( $${#missing[@]} )); then apt_install "$${missing[@]}"; fi
	if ! browser; then
	    may_install "the libraries of Chromium" && as_root $(CURDIR)/$(BIN)/playwright install-deps chromium
	    $(BIN)/playwright install chromium
	fi

define FIND_PYTHON
python=""
candidates=$${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}
for candidate in $$candidates; do
    if "$$candidate" -c "import sys; sys.exit(sys.version_info < (3, 11))" 2>/dev/null; then python=$$candidate; break; fi
done
if [[ -z $$python ]]; then
    echo "Zorglijn needs Python 3.11 or newer, and none of these is one: $$candidates." \
        "Install it (Debian 12, Ubuntu 24.04 and later have it), or say where it is: make PYTHON=/path/to/python" >&2
    exit 1
fi
endef

# Install Debian packages where we may, else name them and stop.
define APT
as_root() {
    if (( EUID )); then sudo -n "$$@"; else "$$@"; fi
}
may_install() {
    if ! command -v apt-get >/dev/null || ! as_root true 2>/dev/null; then
        echo "Missing: $$*. Please install it and try again; on Debian or Ubuntu: sudo apt-get install $$*" >&2
        exit 1
    fi
}
apt_install() {
    may_install "$$@"
    echo "Installing $$* with apt-get"
    as_root apt-get -qq update
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install "$$@" >/dev/null
}
endef

define PARSE_TEMPLATES
import pathlib, jinja2
for path in sorted(path for room in ("ivr", "callbacks") for path in pathlib.Path(room).glob("**/templates/**/*.*")):
    jinja2.Environment(autoescape=True).parse(path.read_text(encoding="utf-8"), filename=str(path))
endef
export PARSE_TEMPLATES
