"""The replay: campaigns as data for the script, which draws them round by round."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ombo_gym.evaluation.formats import problem_name
from ombo_gym.evaluation.plates import batch_words
from ombo_gym.evaluation.report.results import Results

LARGEST = 1_500_000  # characters of recorded campaigns in the page: what does not fit is left out


def replay_section(results: Results) -> str:
    """Controls, drawings and tables, all filled by the script from the data beside them."""
    data, left_out = _fitting(results.replays)
    if not data["plays"]:
        return ""
    note = ""
    if left_out:
        note = f"""<p class="caption">{left_out} more recorded campaigns are in
<code>replays.json</code>: too many for a page.</p>"""
    return f"""<p>A campaign, round by round: what the policy proposed, and what came of it.
Choose a second policy to see both on the same campaign.</p>
<p data-unscripted>The replay is drawn by a script, which this browser does not run.</p>
<div id="replay" hidden>
<div class="controls" role="group" aria-label="What to replay">
<label>Problem <select name="problem"></select></label>
<label>Setting <select name="setting"></select></label>
<label>Campaign <select name="campaign"></select></label>
<label>Policy <select name="first"></select></label>
<label>Beside it <select name="second"></select></label>
</div>
<div class="controls player" role="group" aria-label="Rounds">
<button type="button" data-step="first">Start</button>
<button type="button" data-step="back">Back</button>
<button type="button" data-step="play" aria-pressed="false">Play</button>
<button type="button" data-step="forward">Next round</button>
<label class="slide">Round <input type="range" min="0" max="1" value="0" step="1"></label>
<output aria-live="polite"></output>
</div>
<div class="boards"></div>
</div>
{note}{json_block("replays", data)}"""


def json_block(anchor: str, data: Any) -> str:
    """Data for a script, as JSON in which no character can end the block or a line of script."""
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return f'<script type="application/json" id="{anchor}">{text}</script>'


def _fitting(replays: Mapping[str, Any]) -> tuple[dict[str, Any], int]:
    """The recorded campaigns that fit into a page, and how many do not.

    The first campaign of every problem comes before the second of any, the longest before the
    others.
    """
    kept: list[Mapping[str, Any]] = []
    left_out = size = 0
    plays = replays.get("plays", [])
    for play in sorted(plays, key=lambda play: (int(play["campaign"]), -int(play["horizon"]))):
        length = len(json.dumps(play))
        if size + length > LARGEST:
            left_out += 1
        else:
            size += length
            kept.append(play)
    shown = {_scene(play) for play in kept}
    scenes = [scene for scene in replays.get("scenes", []) if _scene(scene) in shown]
    named = [
        {
            **play,
            "problem": problem_name(play["env"], play["env_kwargs"]),
            "batch": batch_words(play["env_kwargs"], play["batch_size"]),
        }
        for play in kept
    ]
    return {"scenes": scenes, "plays": named}, left_out


def _scene(item: Mapping[str, Any]) -> tuple[str, str, int]:
    return str(item["env"]), str(item["env_kwargs"]), int(item["campaign"])
