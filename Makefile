# Each target stands by itself: it builds what it needs and starts what it talks to.

CARGO ?= cargo
SEED := $(CARGO) test --quiet -p redial-cli --test seed -- --nocapture --exact

.PHONY: help demo test test-reconnect test-message-format test-session-resumption

help:
	@echo "make demo                      a real client through outages of a real server, on loopback"
	@echo "make test                      everything that there is to check"
	@echo "make test-reconnect            the server is killed and comes back; so does the client"
	@echo "make test-message-format       JSON is answered with JSON, plain text with plain text"
	@echo "make test-session-resumption   1, 2, 3; and after a disconnection 4"

demo:
	$(CARGO) run --release -p redial-cli -- demo

test:
	scripts/check

test-reconnect:
	$(SEED) reconnect

test-message-format:
	$(SEED) message_format

test-session-resumption:
	$(SEED) session_resumption
