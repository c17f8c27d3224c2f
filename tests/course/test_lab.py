"""Chapter 03 in a real JupyterLab, in a real browser: opened, Run All, no error, the plot and the marks are seen.

A screenshot is left in $MINIDS_SCREENSHOTS, if that is set. Skipped where there is no Chromium or no playwright.
"""

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from minids.course import catalog

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the PATH (Debian: apt-get install chromium)"),
]
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (pip install playwright)")

QUIET = {
    "notebook-extension/tracker": {"windowingMode": "none", "autoStartDefaultKernel": True},
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True},
}
DONE = """() => {
  const prompts = [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')].map(e => e.textContent)
  const status = document.querySelector('.jp-Notebook-ExecutionIndicator')?.dataset.status
  return status === 'idle' && prompts.some(t => /\\d/.test(t)) && !prompts.some(t => t.includes('*'))
}"""


@pytest.fixture
def lab(tmp_path):
    """A server on a copy of the chapters, with settings of its own -> url(path)."""
    shutil.copytree(catalog.ROOT / "chapters", tmp_path / "root", ignore=shutil.ignore_patterns("src"))
    for name, values in QUIET.items():
        path = tmp_path / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values), encoding="utf-8")
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    token = secrets.token_hex(8)
    env = os.environ | {
        "JUPYTERLAB_SETTINGS_DIR": str(tmp_path / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(tmp_path / "ws"),
        "JUPYTER_CONFIG_DIR": str(tmp_path / "cfg"),
        "JUPYTER_RUNTIME_DIR": str(tmp_path / "rt"),
        "MINIDS_MINE": str(tmp_path / "mine"),
        "OMP_NUM_THREADS": "1",
        "MINIDS_QUICK": "1",
    }
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--no-browser",
        "--allow-root",
        "--ip=127.0.0.1",
        f"--port={port}",
        f"--IdentityProvider.token={token}",
        f"--ServerApp.root_dir={tmp_path / 'root'}",
    ]
    with open(tmp_path / "lab.log", "w", encoding="utf-8") as log:
        server = subprocess.Popen(command, env=env, stdout=log, stderr=log, start_new_session=True)
        try:
            _until(lambda: _get(port, token, "status"), 120)
            yield (
                lambda path: f"http://127.0.0.1:{port}/doc/tree/{path}?token={token}&reset",
                lambda: _get(port, token, "kernels"),
            )
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            try:
                server.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)


def _get(port, token, what):
    try:
        return json.load(urllib.request.urlopen(f"http://127.0.0.1:{port}/api/{what}?token={token}", timeout=5))
    except OSError:
        return None


def _until(happens, seconds):
    end = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.5)


def test_chapter_03_runs_in_jupyterlab(lab, tmp_path):
    url, kernels = lab
    with playwright.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"])
        page = browser.new_page(viewport={"width": 1200, "height": 1500})
        page.goto(url("03_mla.ipynb"), timeout=120_000)
        page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=120_000)
        _until(lambda: any(k["execution_state"] == "idle" and k["connections"] for k in kernels() or []), 120)
        page.wait_for_timeout(1000)
        page.click("li.lm-MenuBar-item:has-text('Run')")
        page.click("li[data-command='runmenu:run-all']")
        page.wait_for_timeout(2000)
        page.wait_for_function(DONE, timeout=300_000)
        page.wait_for_timeout(1000)
        texts = "\n".join(page.locator(".jp-OutputArea-output").all_inner_texts())
        errors = page.locator("[data-mime-type='application/vnd.jupyter.error']").count()
        plots = page.locator(".jp-OutputArea-output img").count()
        sliders = page.locator(".widget-hslider, .widget-slider").count()
        if folder := os.environ.get("MINIDS_SCREENSHOTS"):
            Path(folder).mkdir(parents=True, exist_ok=True)
            height = page.evaluate("document.querySelector('.jp-WindowedPanel-viewport').scrollHeight")
            page.set_viewport_size({"width": 1200, "height": min(int(height) + 200, 9000)})
            page.wait_for_timeout(800)
            page.evaluate("document.querySelector('.jp-WindowedPanel-outer').scrollTop = 0")
            page.wait_for_timeout(400)
            page.screenshot(path=str(Path(folder) / "chapter03.png"))
        browser.close()
    assert errors == 0 and plots >= 2 and sliders >= 1
    assert texts.count("○ mla.") >= 3  # the blank answers are reported, and the chapter went on
