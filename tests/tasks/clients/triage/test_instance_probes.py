"""Each instance is asked for itself: none is read off what another one answered."""

from contextlib import AsyncExitStack

from tasks.settings import ServiceSettings
from tasks.work.triage.probe_pass import observe
from tests.fakes.service.scripted import Asked, Script, replied, scripted


def told(release: str, memory_bytes: int) -> Script:
    """A service of a release that uses so much memory."""

    def script(asked: Asked) -> bytes:
        if asked.path == "/health":
            return replied(200, {"status": "ok", "release": release})
        if asked.path == "/metrics":
            text = f'build_info{{release="{release}"}} 1\nprocess_resident_memory_bytes {memory_bytes}\n'
            return replied(200, None, "content-type: text/plain", raw=text.encode())
        return replied(404)

    return script


async def test_no_instance_is_judged_by_anothers_numbers() -> None:
    """The checks of a pass share their answers; those of another address are not theirs."""
    async with AsyncExitStack() as stack:
        urls = [(await stack.enter_async_context(scripted(told(*of))))[0] for of in (("1.0", 100), ("1.1", 200))]
        service = ServiceSettings.model_validate(
            {
                "base_url": urls[0],
                "instances": {name: {"base_url": url} for name, url in zip("ab", urls, strict=True)},
                "process": {"seen_by": "metrics"},
            }
        )
        seen = await observe(service)

    found = [
        (one.instance, one.health.release, one.metrics.release, one.process.memory_bytes) for one in seen.instances
    ]
    assert found == [("a", "1.0", "1.0", 100), ("b", "1.1", "1.1", 200)]
    assert all(one.serves for one in seen.instances)
