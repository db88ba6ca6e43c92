#!/usr/bin/env python3
"""Renders a template many times: what breaks says so, what is slow shows it."""

import json
import time

import click
import itsdangerous
import six
from jinja2 import Environment

used = (click.style("x"), six.text_type, itsdangerous.Signer("key"))
template = Environment(autoescape=True).from_string("{% for x in rows %}<li>{{ x }}</li>{% endfor %}")
rows = [f"<b>{number}</b>" for number in range(200)]
begun = time.process_time()
for _ in range(200):
    template.render(rows=rows)
print(json.dumps({"seconds": time.process_time() - begun}))
