"""The studio in a real browser: Debian's chromium, driven by selenium."""

import os
import struct
import tempfile
import time
import unittest
import zlib

from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from service import Service

SAMPLES = os.environ.get("POSED_SAMPLES") or str(
    __import__("daemon").ROOT / "weights/default/samples")
PICTURE = "return document.getElementById('picture-a').toDataURL()"
# Loses `lost` of the pictures that come, each with the text before it; damages `damaged` of them.
LOSING = """
  window.lost = window.damaged = 0;
  window.WebSocket = class extends WebSocket {
    set onmessage(receive) {
      let losing = false;
      super.onmessage = (event) => {
        const isText = typeof event.data === "string";
        if (isText) losing = window.lost > 0;
        if (losing) { if (!isText) window.lost -= 1; return; }
        if (isText || window.damaged === 0) return receive(event);
        window.damaged -= 1;
        receive({ data: new Blob(["no picture"]) });
      };
    }
  };
"""
FRAMES = "return Number(document.getElementById('picture-a').dataset.frames ?? 0)"


def browser():
    options = webdriver.ChromeOptions()
    for flag in ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                 "--window-size=1280,800"]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(
        options=options, service=webdriver.ChromeService("/usr/bin/chromedriver"))


def png(width, height):
    """A grey picture."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress((b"\0" + b"\x80" * width) * height)) + chunk(b"IEND", b""))


class StudioTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.service = Service({"http.api.samples": SAMPLES})
        cls.page = browser()
        cls.page.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": LOSING})
        cls.page.get(cls.service.ticket())

    @classmethod
    def tearDownClass(cls):
        cls.page.quit()
        cls.service.stop()

    def until(self, condition, seconds=60):
        return WebDriverWait(self.page, seconds).until(lambda _: condition())

    def frames(self):
        return self.page.execute_script(FRAMES)

    def state(self):
        return self.page.find_element(By.ID, "state").text

    def settled(self):
        """The picture once no more frames come."""
        self.until(lambda: self.frames() > 0)
        while True:
            count = self.frames()
            time.sleep(1)
            if self.frames() == count:
                return self.page.execute_script(PICTURE)

    def test_1_a_dragged_wrist_changes_the_picture(self):
        self.settled()
        self.assertNotIn("ticket", self.page.current_url)
        self.page.find_element(By.ID, "reset").click()
        before = self.settled()
        skeleton = self.page.find_element(By.ID, "skeleton")
        size = skeleton.size
        # Where the pose at rest has the right wrist.
        wrist = (0.39 - 0.5) * size["width"], (0.52 - 0.5) * size["height"]
        ActionChains(self.page).move_to_element_with_offset(skeleton, *wrist).click_and_hold() \
            .move_by_offset(-60, -80).release().perform()
        self.until(lambda: self.page.execute_script(PICTURE) != before)
        self.assertIn("wrist", self.page.find_element(By.ID, "joint").text)

    def test_2_keys_move_joints(self):
        before = self.settled()
        skeleton = self.page.find_element(By.ID, "skeleton")
        self.page.execute_script("arguments[0].focus()", skeleton)
        skeleton.send_keys(Keys.ARROW_RIGHT * 5)
        self.until(lambda: self.page.execute_script(PICTURE) != before)

    def test_3_a_motion_plays(self):
        count = self.frames()
        self.page.find_element(By.CSS_SELECTOR, "#motions button").click()
        self.until(lambda: self.frames() > count + 10)
        self.assertNotEqual(self.page.find_element(By.ID, "rate").text, "–")
        self.page.find_element(By.CSS_SELECTOR, "#motions button").click()

    def test_3_lost_and_damaged_pictures_freeze_nothing(self):
        motion = self.page.find_element(By.CSS_SELECTOR, "#motions button")
        motion.click()
        for trouble in ["lost", "damaged"]:
            # More than are under way at a time, one after the other.
            for count in [1, 2, 3, 5]:
                self.page.execute_script(f"window.{trouble} = {count}")
                self.until(lambda: self.page.execute_script(f"return window.{trouble}") == 0)
                frames = self.frames()
                self.until(lambda: self.frames() > frames + 5)
        self.assertTrue(self.state().startswith("Live"))
        motion.click()

    def test_4_two_settings_side_by_side(self):
        self.page.find_element(By.ID, "compare").click()
        self.until(lambda: self.page.execute_script(
            "return Number(document.getElementById('picture-b').dataset.frames ?? 0)") > 0)
        self.assertIn("evaluations", self.page.find_element(By.ID, "facts-b").text)
        self.page.find_element(By.ID, "compare").click()

    def test_4_a_photograph_of_a_phone_is_made_smaller(self):
        with tempfile.NamedTemporaryFile(suffix=".png") as file:
            file.write(png(3000, 1500))
            file.flush()
            self.page.find_element(By.ID, "upload").send_keys(file.name)
            self.until(lambda: self.state().startswith("Live with " + os.path.basename(file.name)))
        count = self.frames()
        self.page.find_element(By.ID, "reset").click()
        self.until(lambda: self.frames() > count)

    def test_5_a_lost_daemon_is_said_and_comes_back(self):
        self.service.process.kill()
        self.service.process.wait()
        self.until(lambda: "does not answer" in self.state())
        api = self.service.api
        self.service.discard()
        type(self).service = Service(
            {"http.api.samples": SAMPLES, "http.api.allow": "token:*,unix:*,anonymous"}, api=api)
        self.until(lambda: self.state().startswith("Live"), 90)
        count = self.frames()
        self.page.find_element(By.ID, "reset").click()
        self.until(lambda: self.frames() > count)

    def test_6_sizes_of_screens(self):
        for width, height in [(390, 844), (820, 1180), (1600, 1000)]:
            self.page.set_window_size(width, height)
            wide = self.page.execute_script(
                "return document.documentElement.scrollWidth - document.documentElement.clientWidth")
            self.assertLessEqual(wide, 0, f"the page is wider than a screen of {width} pixels")
            if folder := os.environ.get("POSED_SCREENSHOTS"):
                time.sleep(1)
                self.page.save_screenshot(f"{folder}/studio-{width}.png")

    def test_7_nothing_was_refused_by_the_policy(self):
        lines = [entry["message"] for entry in self.page.get_log("browser")
                 if "Content Security Policy" in entry["message"] or "SyntaxError" in entry["message"]]
        self.assertEqual(lines, [])


if __name__ == "__main__":
    unittest.main()
