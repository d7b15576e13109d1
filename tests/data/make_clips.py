"""Make the bundled clips in ``samaf/clips/``: synthetic speech, one voice and language each.

Needs espeak-ng. Run from the root of the checkout: ``python tests/data/make_clips.py``. The
clips in git were made with espeak-ng 1.51; another version may speak a little differently.
"""

from __future__ import annotations

import io
import subprocess
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from samaf.audio import SAMPLE_RATE, load

FOLDER = Path("samaf/clips")
SECONDS = 11.0
BIT_RATE = 20_000  # bit/s
SEED = 9
NOISE = 1e-3  # a quiet room behind the voice, 60 dB below full scale


@dataclass(frozen=True)
class Clip:
    """What is spoken, by which espeak-ng voice, at which pitch (0-99) and words a minute."""

    name: str
    voice: str
    pitch: int
    speed: int
    text: str


CLIPS = (
    Clip(
        "amelia-harbour",
        "en-gb+f2",
        60,
        150,
        "The ferry leaves the harbour at seven, and the last one comes back before midnight. If "
        "the fog is thick, the captain waits by the lighthouse until he can see the far shore. My "
        "brother once counted forty gulls on the mast while we were standing there.",
    ),
    Clip(
        "bruno-garden",
        "de+m3",
        40,
        150,
        "Hinter dem Haus wachsen drei alte Birnbäume, und im September riecht der ganze Hof nach "
        "Obst. Meine Nachbarin bringt jeden Freitag einen Korb Äpfel herüber, obwohl sie weiß, "
        "dass wir selbst genug davon haben. Dafür bekommt sie ein Glas Honig.",
    ),
    Clip(
        "camille-market",
        "fr-fr+f4",
        55,
        155,
        "Le marché commence à six heures, quand la place est encore vide et que les lampes "
        "brillent. On y trouve du pain chaud, des cerises et parfois un vieux livre sans "
        "couverture. Ma tante y achète toujours trop de fromage pour une seule personne.",
    ),
    Clip(
        "diego-train",
        "es+m1",
        45,
        160,
        "El tren de la mañana llega con diez minutos de retraso porque ha nevado toda la noche. "
        "En el andén, un niño pregunta si las vías también duermen en invierno. Su abuelo se ríe y "
        "le compra un chocolate caliente en la cantina de la estación.",
    ),
    Clip(
        "elena-letters",
        "it+f3",
        50,
        155,
        "Nel cassetto della nonna abbiamo trovato quaranta lettere legate con un nastro verde. "
        "Quasi tutte parlano del tempo, delle galline e di un viaggio che non fu mai fatto. "
        "L'ultima finisce con una domanda a cui nessuno ha risposto.",
    ),
    Clip(
        "farid-workshop",
        "en-us+m5",
        35,
        165,
        "First you sharpen the blade, then you clean the bench, and only after that you touch the "
        "wood. A good chair takes eleven days, a bad one takes an afternoon and breaks within the "
        "year. I learned that from a man who never finished school and never wasted a nail.",
    ),
    Clip(
        "greta-weather",
        "sv+f1",
        65,
        150,
        "I natt faller det snö över fjällen, men vid kusten blir det bara regn och hård vind. I "
        "morgon klarnar himlen söderifrån, och på eftermiddagen kan solen visa sig en stund. Den "
        "som ska ut på sjön bör vänta till torsdag.",
    ),
    Clip(
        "hugo-kitchen",
        "nl+m2",
        50,
        155,
        "Snijd de uien fijn, laat ze langzaam bruin worden en doe er dan pas de wortels bij. Na "
        "een half uur ruikt het hele trappenhuis naar soep, en dan staat de buurman voor de deur "
        "met een lege kom en een goed verhaal.",
    ),
    Clip(
        "ines-river",
        "pt+f5",
        55,
        160,
        "O rio subiu dois metros em abril e levou a ponte pequena que o meu avô tinha construído. "
        "Durante um mês atravessámos de barco, com as bicicletas e o correio. As crianças acharam "
        "que era a melhor primavera da vida delas.",
    ),
    Clip(
        "jan-library",
        "pl+m4",
        45,
        155,
        "W bibliotece na drugim piętrze stoi zegar, który od trzydziestu lat spóźnia się o "
        "kwadrans. Nikt go nie naprawia, bo dzięki temu czytelnicy zostają trochę dłużej. "
        "Bibliotekarka mówi, że to jedyny uprzejmy zegar w mieście.",
    ),
    Clip(
        "kerem-mountain",
        "tr+m7",
        40,
        160,
        "Dağın eteğindeki köyde kış altı ay sürer ve yollar çoğu zaman kapanır. Çocuklar okula "
        "kızakla gider, öğretmen ise sobayı sabah beşte yakar. Baharda ilk çiçeği gören kişi bütün "
        "köye çay ısmarlar.",
    ),
    Clip(
        "lena-stranger",
        "en-gb-scotland+f3",
        48,
        150,
        "Nobody in the valley knew the woman with the yellow umbrella, yet everyone had seen her "
        "at the mill. She asked for two things, a loaf of bread and the name of the river. By "
        "evening she was gone, and the rain had stopped.",
    ),
)


def speak(clip: Clip) -> np.ndarray:
    """Speak a clip's text and cut it to length; float32 (n,), peak 0.9."""
    command = ["espeak-ng", "-v", clip.voice, "-p", str(clip.pitch), "-s", str(clip.speed)]
    spoken = subprocess.run(
        [*command, "--stdout", "--", clip.text], check=True, capture_output=True
    )
    samples = load(spoken.stdout)[: int(SECONDS * SAMPLE_RATE)]
    room = np.random.default_rng([SEED, *clip.name.encode()]).normal(0, NOISE, len(samples))
    return (0.9 * samples + room).astype(np.float32)


def encode(samples: np.ndarray) -> bytes:
    """Encode mono samples at 16 kHz as Ogg Opus."""
    out = io.BytesIO()
    with av.open(out, "w", format="ogg", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("libopus", rate=SAMPLE_RATE, layout="mono")
        stream.bit_rate = BIT_RATE
        frame = av.AudioFrame.from_ndarray(samples[None], format="flt", layout="mono")
        frame.sample_rate = SAMPLE_RATE
        container.mux([*stream.encode(frame), *stream.encode(None)])
    return out.getvalue()


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for clip in CLIPS:
        samples = speak(clip)
        data = encode(samples)
        (FOLDER / f"{clip.name}.ogg").write_bytes(data)
        print(f"{clip.name:16} {len(samples) / SAMPLE_RATE:5.1f} s {len(data):7,d} bytes")


if __name__ == "__main__":
    main()
