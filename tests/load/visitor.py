"""What does a browser say to the server, and what does it get? As much of it as a visitor needs, over a websocket."""

import asyncio
import re
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Common_pb2 import FileURLs
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.Markdown_pb2 import Markdown
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

# The page of `PAGES` that stands at the root of an address.
FIRST = "dashboard"
XSRF = "_streamlit_xsrf"
LABELLED = {"slider", "button", "selectbox", "text_area", "file_uploader"}
PROGRESS = re.compile(r"^(?:paused at |finished after )?step ([\d,]+)|^finished after ([\d,]+)")


class Visitor:
    """
    One open page: it keeps its widgets, answers the timers of its fragments, and remembers when it saw what.

    `charts` are the times at which a chart arrived, `runs` those at which the whole page had been drawn anew, and
    `frames` those at which a fragment had, with the seconds since it was asked for; `progress` pairs of time and the
    race's step as the page tells it; `errors` are exceptions that the page showed; `tabs` name what lies folded.
    """

    def __init__(self, address: str, query: str = "", page: str = FIRST) -> None:
        self.address, self.query, self.page = address, query, "" if page == FIRST else page
        self.widgets: dict[str, WidgetState] = {}
        self.labels: dict[str, str] = {}
        self.charts: list[float] = []
        self.runs: list[float] = []
        self.frames: list[tuple[float, float]] = []
        self.progress: list[tuple[float, int]] = []
        self.texts: list[str] = []
        self.errors: list[str] = []
        self.tables: dict[str, bytes] = {}
        self.tabs: list[str] = []
        self.opened = 0.0
        self._timers: dict[str, asyncio.Task[None]] = {}
        self._news = asyncio.Event()
        self._socket: ClientConnection | None = None
        self._listener: asyncio.Task[None] | None = None
        self._script = ""
        self._announced: set[str] = set()
        self._asked: dict[str, float] = {}
        self._tab_id = ""
        self._file_urls: FileURLs | None = None

    async def open(self) -> None:
        """Connect and ask for the page."""
        self.opened = time.monotonic()
        place = self.address.replace("http", "ws", 1) + "/_stcore/stream"
        self._socket = await connect(
            place, subprotocols=[Subprotocol("streamlit")], origin=None, max_size=None, ping_interval=None
        )
        self._listener = asyncio.create_task(self._listen())
        await self._rerun()

    async def close(self) -> None:
        """Close the tab."""
        self.fall_silent()
        assert self._socket is not None
        assert self._listener is not None
        await self._socket.close()
        with suppress(asyncio.CancelledError):
            await self._listener

    def fall_silent(self) -> None:
        """Ask for nothing any more."""
        self._silence(set(self._timers))

    async def until(self, condition: Callable[[], bool], seconds: float = 30) -> None:
        """Wait until something holds of what was seen; TimeoutError if it never does."""
        async with asyncio.timeout(seconds):
            while not condition():
                self._news.clear()
                await self._news.wait()

    async def slide(self, label: str, value: float) -> float:
        """Move the slider with that label; the time at which it was moved."""
        state = WidgetState(id=await self._id(label))
        state.double_array_value.data.append(value)
        return await self._set(state)

    async def choose(self, label: str, value: str) -> float:
        """Write into the field, or take from the list, with that label; the time at which that was done."""
        return await self._set(WidgetState(id=await self._id(label), string_value=value))

    async def unfold(self, tab: str) -> float:
        """Open one of `tabs`; the time of the click."""
        return await self._set(WidgetState(id=self._tab_id, string_value=tab))

    async def upload(self, label: str, name: str, content: bytes) -> float:
        """Give a file to the uploader with that label; the time at which it was there."""
        ask = BackMsg()
        ask.file_urls_request.request_id, self._file_urls = name, None
        ask.file_urls_request.file_names.append(name)
        await self.say(ask)
        await self.until(lambda: self._file_urls is not None)
        assert self._file_urls is not None
        await asyncio.to_thread(self._put, f"{self.address}{self._file_urls.upload_url}", name, content)
        state = WidgetState(id=await self._id(label))
        state.file_uploader_state_value.uploaded_file_info.add(
            name=name, size=len(content), file_id=self._file_urls.file_id, file_urls=self._file_urls
        )
        return await self._set(state)

    def _put(self, place: str, name: str, content: bytes) -> None:
        with urllib.request.urlopen(f"{self.address}/_stcore/health", timeout=60) as health:
            cookies = [value.partition(";")[0] for value in health.headers.get_all("Set-Cookie", [])]
        said = {key: value for key, _, value in (cookie.partition("=") for cookie in cookies)}
        headers = {"Cookie": "; ".join(cookies), "X-Xsrftoken": said.get(XSRF, "").strip('"')}
        part = f'--part\r\nContent-Disposition: form-data; name="{name}"; filename="{name}"\r\n\r\n'
        body = part.encode() + content + b"\r\n--part--\r\n"
        headers["Content-Type"] = "multipart/form-data; boundary=part"
        with urllib.request.urlopen(urllib.request.Request(place, body, headers, method="PUT"), timeout=60):
            pass

    async def _id(self, label: str) -> str:
        """Of what is on the page, or comes onto it."""
        await self.until(lambda: label in self.labels)
        return self.labels[label]

    async def _set(self, state: WidgetState) -> float:
        self.widgets[state.id] = state
        await self._rerun()
        return time.monotonic()

    async def turn_to(self, page: str, query: str = "") -> None:
        """Go to another page in the same tab."""
        self.page, self.query, self._script = page, query, ""
        self.widgets.clear()
        await self._rerun()

    async def press(self, label: str) -> float:
        """Click on a button; the time of the click."""
        key = await self._id(label)
        self.widgets[key] = WidgetState(id=key, trigger_value=True)
        await self._rerun()
        del self.widgets[key]
        return time.monotonic()

    def trained(self, since: float) -> list[float]:
        """The times since then at which the page told of a step of the race that was under way."""
        return [when for when, step in self.progress if when > since and step > 0]

    async def say(self, message: BackMsg) -> None:
        """Send any message of Streamlit's protocol."""
        assert self._socket is not None
        await self._socket.send(message.SerializeToString())

    async def _rerun(self, fragment: str = "") -> None:
        message = BackMsg()
        state = message.rerun_script
        state.query_string, state.page_name, state.page_script_hash = self.query, self.page, self._script
        state.fragment_id, state.is_auto_rerun = fragment, bool(fragment)
        state.widget_states.widgets.extend(self.widgets.values())
        with suppress(ConnectionClosed):
            await self.say(message)

    async def _tick(self, fragment: str, interval: float) -> None:
        while True:
            await asyncio.sleep(interval)
            self._asked.setdefault(fragment, time.monotonic())
            await self._rerun(fragment)

    async def _listen(self) -> None:
        assert self._socket is not None
        with suppress(ConnectionClosed):
            async for data in self._socket:
                message = ForwardMsg()
                message.ParseFromString(data if isinstance(data, bytes) else data.encode())
                self._hear(message)
                self._news.set()

    def _silence(self, fragments: set[str]) -> None:
        for fragment in fragments & self._timers.keys():
            self._timers.pop(fragment).cancel()

    def _hear(self, message: ForwardMsg) -> None:
        kind, now = message.WhichOneof("type"), time.monotonic()
        if kind == "new_session":
            self._script, self._announced = message.new_session.page_script_hash, set()
            if not message.metadata.run.fragment_ids:
                self.labels.clear()
        elif kind == "auto_rerun":
            fragment, interval = message.auto_rerun.fragment_id, message.auto_rerun.interval
            self._announced.add(fragment)
            self._silence({fragment})
            self._timers[fragment] = asyncio.create_task(self._tick(fragment, interval))
        elif kind == "stop_auto_rerun":
            self._silence(set(message.stop_auto_rerun.fragment_ids))
        elif kind == "script_finished":
            if message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                self._silence(self._timers.keys() - self._announced)
                self._asked.clear()
                self.runs.append(now)
            elif message.script_finished == ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY:
                asked = (self._asked.pop(fragment, now) for fragment in message.metadata.run.fragment_ids)
                self.frames.append((now, now - min(asked, default=now)))
        elif kind == "navigation":
            self._script = message.navigation.page_script_hash
        elif kind == "page_info_changed":
            self.query = message.page_info_changed.query_string
        elif kind == "session_event" and message.session_event.WhichOneof("type") == "script_compilation_exception":
            self.errors.append("compilation")
        elif kind == "file_urls_response":
            self._file_urls = message.file_urls_response.file_urls[0]
        elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            self._see(message.delta.new_element, now)
        elif kind == "delta" and message.delta.WhichOneof("type") == "add_block":
            self._see_block(message.delta.add_block)

    def _see_block(self, block: Any) -> None:
        kind = block.WhichOneof("type")
        if kind == "tab_container":
            # Without an id, the browser turns the tabs by itself.
            self._tab_id, self.tabs = block.tab_container.id, []
        elif kind == "tab" and self._tab_id:
            self.tabs.append(block.tab.label)

    def _see(self, element: Any, now: float) -> None:
        kind = element.WhichOneof("type")
        shown = getattr(element, kind)
        if kind == "exception":
            self.errors.append("\n".join([f"{shown.type}: {shown.message}", *shown.stack_trace]))
        elif kind == "vega_lite_chart":
            self.charts.append(now)
            self.tables[shown.alt.partition(". ")[0].removesuffix(".")] = shown.data.data
        elif kind == "markdown" and shown.element_type == Markdown.CAPTION:
            self.texts.append(shown.body)
            if shown_step := PROGRESS.match(shown.body):
                self.progress.append((now, int((shown_step[1] or shown_step[2]).replace(",", ""))))
        elif kind in LABELLED:
            self.labels[shown.label] = shown.id
