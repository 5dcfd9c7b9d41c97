"""`posed-recipe`: every step of the recipe as a command."""

import argparse
import json
import sys
from pathlib import Path

from posed_recipe import commands
from posed_recipe.default_model import PROFILES
from posed_recipe.errors import RecipeError
from posed_recipe.flow.trainer import FLOWS
from posed_recipe.latents.precompute import PRECOMPUTATIONS


def build_parser():
    """All commands and their flags."""
    parser = argparse.ArgumentParser(
        prog="posed-recipe", description="Trains the models of posed. Every training goes on where it stopped.")
    verbs = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    verbs.add_parser("people", help="make synthetic people (its own flags: posed-recipe people --help)",
                     add_help=False)

    verb = command(verbs, "train-autoencoder", commands.train_autoencoder_command, "train the autoencoder", True)
    verb.add_argument("--data", required=True, help="a data set's folder")
    verb.add_argument("--start", metavar="MODEL", help="go on from the autoencoder of this folder, or of the hub")

    verb = command(verbs, "precompute", commands.precompute_command, "encode a data set once")
    verb.add_argument("--data", required=True, help="a data set's folder")
    verb.add_argument("--split", default="train", choices=["train", "test", "all"],
                      help="where the data set has several; all takes every picture of the benchmark's own layout")
    verb.add_argument("--profile", choices=list(PRECOMPUTATIONS), default="default",
                      help="paper: pictures as they are, for published encoders' features")
    verb.add_argument("--vae", required=True, help="a folder or a name on the hub")
    verb.add_argument("--encoder", help="a published DINOv2; without it one is trained with the flow")
    verb.add_argument("--pose-encoder", help="another one for poses")
    verb.add_argument("--size", type=int, nargs=2, default=(256, 256), metavar=("H", "W"))
    verb.add_argument("--encoder-side", type=int, default=112, help="side of the trained encoder's pictures")
    common(verb)

    verb = command(verbs, "train-flow", commands.train_flow_command, "train the flow", True)
    verb.add_argument("--latents", required=True, help="what precompute wrote")
    verb.add_argument("--start", metavar="MODEL",
                      help="go on from the transformer and the encoder of this model folder; sizes are its own, and latents "
                           "may have more channels")
    verb.add_argument("--profile", choices=list(FLOWS), default="default",
                      help="paper: size B on published parts, as the paper's run")
    sheets(verb)

    verb = command(verbs, "rectify", commands.rectify_command, "make a trained flow good in few steps", True)
    verb.add_argument("--flow", required=True, help="the flow's training folder")
    verb.add_argument("--latents", required=True, help="what it was trained on")
    sheets(verb)

    verb = command(verbs, "refine", commands.refine_command,
                   "teach a trained flow its likeliest picture, so that more evaluations are no worse than few", True)
    verb.add_argument("--start", required=True, metavar="MODEL", help="the model folder to go on from")
    verb.add_argument("--latents", required=True, help="what precompute wrote")
    verb.add_argument("--data", required=True, help="the data set's folder that the latents come from")
    sheets(verb, "the autoencoder that made the latents; default: the model's")

    verb = command(verbs, "train-decoder", commands.train_decoder_command,
                   "train the decoder on a trained flow's answers", True)
    verb.add_argument("--start", required=True, metavar="MODEL", help="the model folder with the flow")
    verb.add_argument("--vae", help="the autoencoder that made the latents, to go on from; default: the model's")
    verb.add_argument("--latents", required=True, help="what precompute wrote")
    verb.add_argument("--data", required=True, help="the data set's folder that the latents come from")

    add_results(verbs)
    return parser


def add_results(verbs):
    """The commands after training, and the one for everything."""
    verb = command(verbs, "export", commands.export_command, "write a model folder")
    verb.add_argument("--vae", required=True, help="a folder or a name on the hub")
    verb.add_argument("--flow", required=True, help="a training folder of train-flow or rectify")
    verb.add_argument("--encoder", help="the published encoder that precompute used")
    verb.add_argument("--pose-encoder")
    verb.add_argument("--best", action="store_true", help="the weights of the least validation loss, not the last ones")
    verb.add_argument("--dtype", default="bf16", choices=["bf16", "f16", "f32"])
    verb.add_argument("--shard-mb", type=float, help="write weights in files of at most so many megabytes")
    verb.add_argument("--solver", default="euler")
    verb.add_argument("--steps", type=int, default=4)
    verb.add_argument("--guidance", type=float, default=1.0)
    verb.add_argument("--detail", action="store_true", help="where pictures look like the source, its pixels take their place")
    common(verb)

    add_convert(verbs)

    verb = command(verbs, "evaluate", commands.evaluate_command, "measure a model as posekit eval does", out=False)
    verb.add_argument("--model", required=True)
    verb.add_argument("--data", required=True, help="a folder with pairs.jsonl")
    verb.add_argument("--json", help="where the report goes; else to stdout")
    verb.add_argument("--limit", type=int)
    verb.add_argument("--sheet", help="a picture of the first 16 pairs")
    verb.add_argument("--reconstruction", metavar="MODEL", help="another model, whose autoencoder makes the reconstructions")
    verb.add_argument("--solver")
    verb.add_argument("--nfe", type=int)
    verb.add_argument("--guidance", type=float)
    verb.add_argument("--seed", type=int, default=0)
    verb.add_argument("--precision", default="f32", choices=["f32", "bf16"])
    verb.add_argument("--device")

    verb = command(verbs, "experiments", commands.experiments_command,
                   "ask a model how many evaluations, by which solver and guidance, are enough")
    verb.add_argument("--model", required=True)
    verb.add_argument("--data", required=True, help="a folder with pairs.jsonl")
    verb.add_argument("--posekit", default="posekit", help="the engine's program")
    verb.add_argument("--backend", help="the engine's backend")
    verb.add_argument("--limit", type=int, help="only the first so many pairs")
    verb.add_argument("--guidance", type=float, default=1.0, help="of the table over evaluations")

    verb = command(verbs, "train-default", commands.train_default_command, "all of it, within a budget of time")
    verb.add_argument("--budget-minutes", type=float, required=True, help="over all calls")
    verb.add_argument("--stop-after-minutes", type=float, help="end this call then, saved; call again to go on")
    verb.add_argument("--profile", choices=list(PROFILES),
                      help="h200 for a large GPU, cores for hours of two cores, cpu for minutes; default: by the device")
    verb.add_argument("--people", help="a finished set of people to take instead of making one")
    verb.add_argument("--heldout", help="held-out pairs to take instead of making them")
    verb.add_argument("--start", metavar="MODEL", help="train the autoencoder of this model on instead of a new one")
    common(verb)


def add_convert(verbs):
    """`convert xmdpt`: the published models of others."""
    verb = verbs.add_parser("convert", help="make a model folder of a published model")
    kinds = verb.add_subparsers(dest="kind", required=True, metavar="KIND")
    verb = command(kinds, "xmdpt", commands.convert_xmdpt_command, "convert an X-MDPT checkpoint")
    verb.add_argument("--checkpoint", required=True, help="ema_0.9999_300000.pt, as published")
    verb.add_argument("--vae", required=True, help="the folder of its AutoencoderKL, or of TAESD")
    verb.add_argument("--source-encoder", required=True, help="the folder of facebook/dinov2-giant")
    verb.add_argument("--pose-encoder", required=True, help="the folder of facebook/dinov2-base")
    verb.add_argument("--dtype", choices=["f32", "bf16", "f16"], help="of the weights; default: as they came")


def command(verbs, name, function, help_text, trains=False, out=True):
    """A command; `trains` gives it a budget."""
    verb = verbs.add_parser(name, help=help_text, description=help_text[0].upper() + help_text[1:] + ".")
    verb.set_defaults(function=function)
    if out:
        verb.add_argument("--out", required=True, help="the folder to write; what is there already goes on")
    if trains:
        budget = verb.add_mutually_exclusive_group(required=True)
        budget.add_argument("--steps", type=int, help="train for so many steps: exactly repeatable on a CPU")
        budget.add_argument("--minutes", type=float, help="train for so long, over all calls")
        verb.add_argument("--stop-after-minutes", type=float, help="end this call then; call again to go on")
        common(verb)
    return verb


def common(verb):
    """Flags of all commands that compute."""
    verb.add_argument("--device", help="cuda, cuda:1, cpu; default: a GPU where there is one")
    verb.add_argument("--set", action="append", metavar="NAME=VALUE", default=[],
                      help="change an option, such as training.learning_rate=1e-3; a wrong name lists them")


def sheets(verb, vae="the autoencoder of the latents, for the sheets"):
    """Flags of trainings that paint sheets."""
    verb.add_argument("--heldout", help="a folder with pairs.jsonl: paints sheets of them on the way")
    verb.add_argument("--vae", help=vae)
    verb.add_argument("--encoder", help="the published encoder of the latents, for the sheets")
    verb.add_argument("--pose-encoder")


def main(arguments=None):
    """Exit status: 0 done, 1 something failed, 2 not understood, 3 time was up, call again to go on."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    if arguments[:1] == ["people"]:
        from posed_recipe.people.cli import main as people

        return people(arguments[1:]) or 0
    options = build_parser().parse_args(arguments)
    try:
        result = options.function(options)
    except RecipeError as error:
        print(f"posed-recipe: {error}", file=sys.stderr)
        return 1
    if result is None:
        print("posed-recipe: time is up; the same command goes on from here", file=sys.stderr)
        return 3
    if isinstance(result, dict):
        text = json.dumps(result, indent=2)
        if getattr(options, "json", None):
            Path(options.json).write_text(text + "\n")
        else:
            print(text)
    return 0
