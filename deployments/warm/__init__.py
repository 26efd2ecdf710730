"""The parts of the warm worker: what a run is, where its flow comes from, how it is cancelled."""
