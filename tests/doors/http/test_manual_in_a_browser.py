"""The manual as people meet it: in Chromium, with a door behind it."""

import shutil

import pytest
from playwright.async_api import async_playwright, expect
from tests.doors.http.standins import KEY, Centre

from vestnik.doors.http import manual
from vestnik.doors.http.listener import Listener, ListenerSettings

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is missing (apt-get install chromium)"),
]


@pytest.fixture(scope="module")
async def served():
    """A centre of stand-ins and the address of its manual."""
    centre = Centre(door_options={"pages": manual.pages()})
    listener = Listener(centre.door, ListenerSettings(drain_s=1))
    port = await listener.start()
    yield centre, f"http://127.0.0.1:{port}"
    await listener.stop()


@pytest.fixture(scope="module")
async def chromium():
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        await browser.close()


@pytest.fixture
async def page(served, chromium):
    """The manual in a tab; the browser complains of nothing and asks nobody else."""
    _, base = served
    tab = await chromium.new_page(viewport={"width": 1400, "height": 900})
    complaints, requests = [], []
    tab.on("console", lambda said: complaints.append(said.text))
    tab.on("pageerror", lambda problem: complaints.append(str(problem)))
    tab.on("request", lambda request: requests.append(request.url))
    await tab.goto(f"{base}/docs")
    yield tab
    await tab.close()

    assert complaints == []
    assert [url for url in requests if not url.startswith((base, "blob:"))] == []


async def test_a_request_is_tried_from_the_page_and_its_answer_is_shown(page, served):
    centre, base = served
    await page.get_by_label("or API key").fill(KEY)
    chapter = page.locator("#send")
    await chapter.get_by_text("Try it").click()
    await chapter.get_by_label("phones", exact=True).fill("79990000001")
    await chapter.get_by_label("mes", exact=True).fill("Привет, it's me")
    await chapter.get_by_role("button", name="Send the request").click()

    output = chapter.locator("output")
    await expect(output.locator("pre").first).to_contain_text('"id": 33')
    await expect(output.locator("p").first).to_contain_text("HTTP 200 · application/json")
    shell = output.locator("pre").last
    await expect(shell).to_contain_text(f"curl '{base}/sys/send.php'")
    await expect(shell).to_contain_text(r"--data-urlencode 'mes=Привет, it'\''s me'")
    await expect(shell).not_to_contain_text(KEY)
    assert [line.text for line in centre.sending.lines] == ["Привет, it's me"]


async def test_a_request_may_be_asked_in_json(page, served):
    account = page.locator("form.account")
    await account.get_by_label("Login").fill("alex")
    await account.get_by_label("Password").fill("123")
    chapter = page.locator("#balance")
    await chapter.get_by_text("Try it").click()
    await chapter.get_by_label("Ask by").select_option("JSON")
    await chapter.get_by_label("Answer").select_option("XML")
    await chapter.get_by_role("button", name="Send the request").click()

    output = chapter.locator("output")
    await expect(output.locator("pre").first).to_contain_text("<balance>1871.62</balance>")
    await expect(output.locator("pre").last).to_contain_text("/rest/balance/")


async def test_an_error_of_the_api_is_shown_like_any_answer(page):
    chapter = page.locator("#balance")
    await chapter.get_by_text("Try it").click()
    await chapter.get_by_role("button", name="Send the request").click()

    await expect(chapter.locator("output pre").first).to_contain_text("authorise error")


async def test_an_operation_shows_what_it_reads_alone(page):
    chapter = page.locator("#downloads")
    await chapter.get_by_role("button", name="get_file", exact=True).click()
    shown = chapter.locator(".parameters > div:visible dt code")

    assert await shown.all_inner_texts() == ["get_file", "id", "name"]

    await chapter.get_by_role("button", name="all", exact=True).click()

    assert await shown.count() == 18


async def test_an_answer_is_shown_in_the_form_that_is_chosen(page):
    example = page.locator("#balance details.example").first
    await example.get_by_text("2 XML").click()

    await expect(example.locator(".answer:visible")).to_contain_text("<balance>250.80</balance>")


async def test_what_is_looked_for_is_found_by_its_parameters(page):
    await page.keyboard.press("/")
    await page.keyboard.type("maxsms")

    assert await page.locator("nav a[data-words]:visible").all_inner_texts() == ["send"]


@pytest.mark.parametrize("width", [390, 800, 1400])
async def test_no_screen_is_too_narrow(page, width):
    await page.set_viewport_size({"width": width, "height": 800})

    assert await page.evaluate("document.documentElement.scrollWidth") <= width


async def test_on_a_narrow_screen_the_contents_open_on_demand(page):
    await page.set_viewport_size({"width": 390, "height": 800})
    link = page.locator("nav").get_by_text("balance", exact=True)

    await expect(link).to_be_hidden()
    await page.get_by_role("button", name="Contents").click()
    await link.click()
    await expect(link).to_be_hidden()
    await expect(page.locator("#balance h2")).to_be_in_viewport()


async def test_the_page_is_dark_where_the_system_is(page):
    ground = "getComputedStyle(document.body).backgroundColor"
    await page.emulate_media(color_scheme="light")
    light = await page.evaluate(ground)
    await page.emulate_media(color_scheme="dark")

    assert (light, await page.evaluate(ground)) == ("rgb(255, 255, 255)", "rgb(14, 21, 20)")
