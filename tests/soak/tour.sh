#!/usr/bin/env bash
# tests/soak/tour.sh - the tour of tests/flow/tour.sh on all of ko-retrieval's rows with the real model. About twenty minutes on two cores.
TOUR_LONG=1 exec bash "$(dirname "$0")/../flow/tour.sh"
