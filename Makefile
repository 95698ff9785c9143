# Everything a person types: `make demo`, `make test`. Both install what is missing.
SHELL := /bin/bash
export PATH := $(PATH):$(HOME)/.cargo/bin
.DEFAULT_GOAL := help
BUILT := $(or $(CARGO_TARGET_DIR),target)
RAGTRAIN := $(BUILT)/release/ragtrain

.PHONY: help setup dashboard build release demo test lint samples score retrieval model bench-queue bench-relay bench-extraction chaos recovery soak soak-live rolling mutations broken-files fuzz

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: ## install missing tools (apt)
	@scripts/setup.sh

dashboard: setup ## build the web page; the next build puts it into the programs
	@scripts/dashboard.sh

build: dashboard ## build all programs
	cargo build --release --workspace --locked

release: dashboard ## build all programs as the image has them: the api takes less memory (until the next build)
	@scripts/setup.sh release
	@scripts/release.sh

model: build ## build the embedding model into the user's cache folder (once)
	@$(RAGTRAIN) model fetch

demo: build ## train samples/ (or DOCS=/path), ask two questions, leave the server open
	@$(RAGTRAIN) model fetch || echo "Модели нет: поиск будет только по словам."
	@RAGTRAIN=$(RAGTRAIN) scripts/demo.sh "$(DOCS)"

test: ## formatting, lints, all tests
	@scripts/setup.sh test
	@scripts/test.sh

lint: ## formatting and lints only
	cargo fmt --all --check
	cargo clippy --release --workspace --all-targets --locked -- -D warnings

samples: ## make samples/ anew (Debian: fonts-dejavu-core)
	python3 -m venv .venv && .venv/bin/pip -q install -r scripts/samples/requirements.txt
	.venv/bin/python scripts/samples/make_samples.py

chaos: build ## 200 random kills while norms train; nothing may be lost or doubled: make chaos SEED=1
	python3 bench/chaos.py --kills $(or $(KILLS),200) $(and $(SEED),--seed $(SEED)) $(and $(CORPUS),--corpus "$(CORPUS)")

recovery: build ## how soon others take over from a killed and from a stopped worker
	python3 bench/recovery.py

score: build model ## train a corpus and score it: make score CORPUS=../shared/corpus
	python3 bench/score_corpus.py "$(or $(CORPUS),../shared/corpus)"

retrieval: build model ## nDCG@10 on the clause retrieval set: make retrieval CORPUS=../shared/corpus
	python3 bench/retrieval.py "$(or $(CORPUS),../shared/corpus)"

bench-queue: ## the queue beside BullMQ and Celery, about seven minutes (needs node, python3-venv)
	python3 bench/queue/run.py

bench-relay: ## live events beside Socket.IO, FastAPI and Centrifuge, about half an hour (needs node, python3-venv; go if there)
	@scripts/setup.sh release
	python3 bench/relay/run.py --rounds $(or $(ROUNDS),5)

bench-extraction: ## what is read from PDF files and scans, beside others: make bench-extraction CORPUS=../shared/corpus
	@scripts/setup.sh test
	python3 bench/extraction/run.py "$(CORPUS)"

broken-files: build ## read 2,000 broken files in the limited child: make broken-files FILES=/path SEED=…
	python3 bench/broken_files.py --count $(or $(COUNT),2000) $(and $(SEED),--seed $(SEED)) $(FILES)

fuzz: ## fuzz the extractor's parsers: make fuzz MINUTES=10 TARGET=rtf (all one after another)
	@scripts/fuzz.sh $(or $(MINUTES),10) $(or $(TARGET),all)

soak: ## break simulated workers at random, ten minutes long: make soak MINUTES=10 SEED=…
	cargo build --release -p simulation --locked
	$(BUILT)/release/soak --minutes $(or $(MINUTES),10) $(if $(SEED),--seed $(SEED))

soak-live: ## the long forms of the tests of live events: make soak-live MINUTES=30 SEED=…
	@scripts/setup.sh test
	RAGTRAIN_TEST_LONG=$(or $(MINUTES),30) $(and $(SEED),RAGTRAIN_TEST_SEED=$(SEED)) \
	  cargo test --release -p api --locked --test it test_ -- --nocapture --test-threads=1

rolling: ## workers of an older revision and of this one share a queue: make rolling FROM=main~20
	@scripts/rolling.sh "$(FROM)" $(or $(MINUTES),2)

mutations: ## break the queue's scripts in three ways; tests must notice
	@scripts/mutations.sh
