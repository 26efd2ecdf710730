"""The JSON of requests and answers, one module per resource.

Money and quantities are numbers, times ISO 8601 in UTC, sessions ISO dates. A list that can be long comes as
`{"items": [...], "next": cursor | null}`, newest first; every other list is a plain JSON array.
"""
