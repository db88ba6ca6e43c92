"""The shop's pages."""

from typing import Any

from jinja2 import DictLoader, Environment

_LAYOUT = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{ title }}</title>
<style>body{font:16px sans-serif;max-width:60em;margin:auto}article{border-top:1px solid #ccc}</style></head>
<body><nav>{% for name in categories %}<a href="/search/{{ name }}">{{ name }}</a> {% endfor %}</nav>
{% block main %}{% endblock %}</body></html>"""

_PRODUCT = """{% extends "layout" %}{% block main %}
<h1>{{ product.name }}</h1><p class="price">{{ "%.2f"|format(product.price / 100) }}</p>
<p>{{ product.about }}</p><h2>Reviews</h2>
{% for review in reviews %}<article id="review-{{ review.id }}"><h3>{{ "★" * review.stars }}</h3>
<p>{{ review.body }}</p><footer>{{ review.helpful }} people found this helpful, {{ review.day }} days ago</footer></article>
{% endfor %}{% endblock %}"""


class Pages:
    """Compiled templates; `product(...)` is one page as bytes."""

    def __init__(self, categories: tuple[str, ...]) -> None:
        environment = Environment(
            loader=DictLoader({"layout": _LAYOUT, "product": _PRODUCT}), autoescape=True
        )
        environment.globals["categories"] = categories
        self._product = environment.get_template("product")

    def product(self, **values: Any) -> bytes:
        """The page of one product with its reviews."""
        return self._product.render(**values).encode()
