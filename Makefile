# The commands people use. `make` alone lists them.

.DEFAULT_GOAL := help
.PHONY: help run test histories feed fuzz lint openapi bench check-client fuzz-api docker clean-demo

CARGO ?= cargo
# What `make run` passes on, as in: make run ARGS="--listen 127.0.0.1:9000"
ARGS ?=
IMAGE ?= taizhang

help: ## this list
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## start the service with demo data, in var/ (ARGS="..." goes to the binary)
	$(CARGO) build -p taizhang
	$(CARGO) run -q -p taizhang -- serve --demo $(ARGS)

test: ## every test, on SQLite and on a private PostgreSQL that the run starts itself
	scripts/test

histories: ## 10,000 random histories replayed on both databases; `make test` replays 200
	scripts/histories

feed: ## the feed at length: 100,000 events of sixteen writers on two service processes
	scripts/feed

fuzz: ## every parser of what others send under libFuzzer, 10,000,000 executions each (whole files fewer)
	scripts/fuzz

lint: ## formatting and Clippy, as in CI
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings

openapi: ## write openapi.yaml and docs/access.md anew from the code
	$(CARGO) run -q -p taizhang -- openapi > openapi.yaml.new || { rm -f openapi.yaml.new; exit 1; }
	mv openapi.yaml.new openapi.yaml
	$(CARGO) run -q -p taizhang -- access > docs/access.md

bench: ## load and scale measurements, each figure beside its limit
	bench/run

check-client: ## a client generated from openapi.yaml, at work on a demo server
	$(CARGO) build -p taizhang
	scripts/check-client

fuzz-api: ## generated requests from the contract against a demo server (LONG=1: at least 5,000)
	$(CARGO) build -p taizhang
	scripts/schemathesis

docker: ## the container image, named taizhang (IMAGE=... for another name)
	docker build --tag $(IMAGE) .

clean-demo: ## remove the demo's data
	rm -rf var
