import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files

import pytest
from tests.doors.http.standins import Centre

from vestnik.doors.http import manual
from vestnik.doors.http.endpoints import ENDPOINTS
from vestnik.doors.http.openapi import openapi

pytestmark = pytest.mark.anyio

CONTROLS = ("input", "select", "textarea")
ADDRESSES = ["/docs", "/docs/", "/openapi.json", *manual.ASSETS]


class Reader(HTMLParser):
    """What a page has: ids, what its links and labels lead to, tags and their attributes."""

    def __init__(self, page):
        super().__init__()
        self.ids, self.targets, self.sources, self.labels, self.tags = [], [], [], [], []
        self.open = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.tags.append((tag, found))
        self.ids += [found["id"]] if "id" in found else []
        self.targets += [found["href"]] if tag == "a" else []
        self.sources += [found[n] for n in ("src", "href") if n in found and tag != "a"]
        self.labels += [found["for"]] if "for" in found else []


@pytest.fixture
def centre():
    return Centre(door_options={"pages": manual.pages()})


@pytest.fixture(scope="module")
def page():
    return manual.made(ENDPOINTS)["/docs"].body.decode()


async def test_the_description_is_served_as_it_is_made(centre):
    answer = await centre.ask("/openapi.json")

    assert answer.content_type == "application/json"
    assert json.loads(answer.body) == json.loads(json.dumps(openapi(ENDPOINTS)))


@pytest.mark.parametrize("address", ADDRESSES)
async def test_who_has_a_page_of_the_manual_need_not_fetch_it_again(centre, address):
    first = await centre.ask(address)
    again = await centre.ask(address, headers=[(b"if-none-match", first.headers["etag"].encode())])

    assert (first.status, again.status, again.body) == (200, 304, b"")


@pytest.mark.parametrize("address", ADDRESSES)
async def test_a_page_of_the_manual_may_load_nothing_from_elsewhere(centre, address):
    headers = (await centre.ask(address)).headers

    assert headers["content-security-policy"].startswith("default-src 'none'; ")
    assert "unsafe" not in headers["content-security-policy"]
    assert "http" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"


def test_nothing_in_the_manual_names_another_place(page):
    texts = [
        page,
        *(files(manual).joinpath(name).read_text() for name in ("manual.css", "manual.js")),
    ]

    assert [found for text in texts for found in re.findall(r"https?://[^\"'\s]+", text)] == []


def test_every_file_that_the_page_asks_for_is_served(page):
    assert set(Reader(page).sources) == set(manual.ASSETS)


def test_links_and_labels_of_the_page_lead_somewhere(page):
    found = Reader(page)

    assert len(set(found.ids)) == len(found.ids)
    assert {target[1:] for target in found.targets if target.startswith("#")} <= set(found.ids)
    assert {target for target in found.targets if not target.startswith("#")} == {"/openapi.json"}
    assert set(found.labels) <= set(found.ids)


def test_the_page_has_no_script_and_no_style_of_its_own(page):
    for tag, attributes in Reader(page).tags:
        assert tag != "style"
        assert tag != "script" or "src" in attributes
        assert not [name for name in attributes if name == "style" or name.startswith("on")]


@pytest.mark.parametrize("one", ENDPOINTS, ids=lambda one: one.name)
def test_an_endpoint_has_a_chapter_with_all_its_parameters_and_a_form(page, one):
    chapter = page.split(f'<section id="{one.name}"')[1].split("</section>")[0]
    controls = {a.get("name") for tag, a in Reader(chapter).tags if tag in CONTROLS}

    assert controls >= {parameter.name for parameter in one.parameters}
    for parameter in one.parameters:
        assert f"<code>{parameter.name}</code>" in chapter


def test_what_is_declared_cannot_break_the_page():
    balance = next(one for one in ENDPOINTS if one.name == "balance")
    odd = replace(balance, summary='<script>alert("1")</script>')

    page = manual.made([odd])["/docs"].body.decode()

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_the_same_endpoints_make_the_same_pages():
    assert manual.made(ENDPOINTS) == manual.made(ENDPOINTS)
