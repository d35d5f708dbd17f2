"""browser - one person at one screen: Debian's Chromium, driven as a person would.

A test asks for what can be seen (texts, roles) and waits for it; nothing sleeps for a fixed time.
"""
import os
import tempfile

from selenium import webdriver
from selenium.common.exceptions import ElementClickInterceptedException, StaleElementReferenceException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from installation import ROOT, wait_for

FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
         "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
         "--hide-scrollbars", "--force-device-scale-factor=1")
# Where the built page is; "make web" builds it there.
WEB = os.path.join(ROOT, os.environ.get("MOMENT_WEB", "build/web"))
SCREENSHOTS = os.path.join(ROOT, "build/screenshots")
AXE = os.path.join(ROOT, "services/reporting/web/node_modules/axe-core/axe.min.js")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


class Screen:
    def __init__(self, address, width=1440, height=1000):
        self.address, self.profile = address, tempfile.TemporaryDirectory(prefix="moment-browser.")
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for flag in (*FLAGS, "--user-data-dir=" + self.profile.name, "--window-size=%d,%d" % (width, height)):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
        self.resize(width, height)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.driver.quit()
        self.profile.cleanup()

    def resize(self, width, height):
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})

    def open(self, path="/"):
        self.driver.get(self.address + path)

    def all(self, css):
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def see(self, css, text=None, seconds=20):
        """The first element of css that shows the text, as soon as there is one."""
        def look():
            try:
                return next((e for e in self.all(css) if text is None or text in e.text), None)
            except StaleElementReferenceException:
                return None
        return wait_for("%s with %r" % (css, text), look, seconds)

    def text(self, css):
        return self.see(css).text

    def count(self, css):
        return len(self.all(css))

    def click(self, css, text=None):
        def press():
            try:
                element = self.see(css, text)
                element.click()
                return True
            except ElementClickInterceptedException:
                # Under the header that stays: as a person would, scroll first.
                self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
                return False
            except StaleElementReferenceException:
                return False
        wait_for("a click on %s" % css, press)

    def write(self, css, text):
        """In place of what the field says."""
        self.see(css).send_keys(Keys.CONTROL, "a", Keys.NULL, text)

    def choose(self, css, value):
        self.see("%s option[value='%s']" % (css, value))
        Select(self.see(css)).select_by_value(value)

    def press(self, *keys):
        webdriver.ActionChains(self.driver).send_keys(*keys).perform()

    def sign_in(self, login, password):
        self.open("/")
        self.sign_in_here(login, password)

    def sign_in_here(self, login, password):
        """At the door where the last one went out, without a reload."""
        self.see("input[name=login]").send_keys(login)
        self.see("input[name=password]").send_keys(password, Keys.ENTER)

    def theme(self, name):
        self.driver.execute_script("document.documentElement.dataset.theme = arguments[0]", name)

    def keep(self, name):
        """A picture for people to look at, kept as a test artefact."""
        path = os.path.join(SCREENSHOTS, name + ".png")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        self.driver.save_screenshot(path)

    def console(self):
        """What the console said that is worse than chatter. Consumes it."""
        return [e["message"] for e in self.driver.get_log("browser") if e["level"] in ("SEVERE", "WARNING")]

    def violations(self):
        """WCAG 2.2 AA violations of the page as it is now, by axe."""
        with open(AXE, encoding="utf-8") as f:
            self.driver.execute_cdp_cmd("Runtime.evaluate", {"expression": f.read()})
        found = self.driver.execute_async_script(
            "const done = arguments[arguments.length - 1];"
            "axe.run(document, {runOnly: {type: 'tag', values: arguments[0]}}).then("
            "r => done(r.violations.map(v => v.id + ': ' + v.nodes.map(n => n.target.join(' ')).slice(0, 3).join(' | '))),"
            "e => done(['axe failed: ' + e]))", TAGS)
        return found

    def overflow(self):
        """Pixels by which the page is wider than the screen."""
        return self.driver.execute_script(
            "return document.documentElement.scrollWidth - document.documentElement.clientWidth")
