"""Faults on demand: what brokers and networks do on bad days, armed through POST /simulator/faults.

Each fault hits `count` times (null: until it is disarmed) and each time only with its `probability`, drawn from the
seed: the same requests in the same order meet the same faults. Faults live in memory and end with the process.
"""
