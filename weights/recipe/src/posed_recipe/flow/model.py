"""The transformer and its encoder as they are trained: batches to losses."""

from torch import nn

from posed_recipe.flow.correspondence import attention_error
from posed_recipe.flow.path import point, velocity
from posed_recipe.rpfm.layers import patches, unpatches


class FlowModel(nn.Module):
    """The transformer, with the encoder where it is trained jointly.

    The default model trains its encoder with the flow rather than by self-distillation: the velocity's loss
    asks of it exactly what the aggregation needs, it costs a hundredth of a step, and self-distillation of
    use takes more passes over more pictures than the whole of this training.
    """

    def __init__(self, transformer, encoder=None, preprocessor=None):
        super().__init__()
        self.transformer, self.encoder = transformer, encoder
        self.preprocessor = preprocessor

    def features(self, beside):
        """Thumbnails [..., 3, side, side] through the encoder, or features as they are; [..., T, F]."""
        if beside is None or self.encoder is None:
            return beside
        lead = beside.shape[:-3]
        found = self.encoder(self.preprocessor.normalize(beside.flatten(0, -4)))
        return found.reshape(*lead, *found.shape[1:])

    def forward(self, rows, empty, measure=None):
        """Losses: the mean over all rows, and what is worth telling.

        `measure(self, rows)` may take the place of the flow's errors: it gives errors [G*K] and what is worth telling.
        """
        conditional, told = (measure or FlowModel.velocities)(self, rows)
        nothing = self.without(empty)
        loss = (conditional.sum() + nothing.sum()) / (len(conditional) + len(nothing))
        return loss, {
            "conditional": conditional.detach().mean(),
            "empty": nothing.detach().mean() if len(nothing) else conditional.new_zeros(()),
            **told,
        }

    def velocities(self, rows):
        """The flow's errors [G*K], and their means in both halves of time."""
        predict = self.predictor(rows)
        found = predict.and_attend(point(rows.z0, rows.y, rows.t), rows.t)
        _, errors = predict.compared(found.float(), velocity(rows.z0, rows.y))
        known, late = errors.detach(), (rows.t > 0.5).float()
        told = {"early": (known * (1 - late)).sum() / (1 - late).sum(), "late": (known * late).sum() / late.sum()}
        return errors + predict.attention, told | predict.told

    def predictor(self, rows):
        """The rows' `Predictor`."""
        return Predictor(self, rows)

    def aggregate(self, rows, z_s, k):
        """`cond` [G*K, D]"""
        if not self.transformer.config.conditional_aggregation:
            return self.transformer.null_condition(len(rows.y))
        g_s = self.features(rows.g_s).repeat_interleave(k, 0)
        return self.transformer.aggregate(z_s, rows.z_p, g_s, self.features(rows.g_p))

    def without(self, empty):
        """Mean squared errors [U] of the empty branch."""
        if len(empty.y) == 0:
            return empty.y.new_zeros(0)
        found = self.transformer.velocity_empty(point(empty.z0, empty.y, empty.t), empty.t)
        return (found.float() - velocity(empty.z0, empty.y)).square().mean(dim=(1, 2, 3))


class Predictor:
    """The velocity of the rows' conditions, as a function of latents [G*K, C, h, w] and times [G*K]."""

    def __init__(self, flow, rows):
        self.transformer, self.rows = flow.transformer, rows
        k = len(rows.y) // len(rows.z_s)
        self.cached = self.transformer.reference(rows.z_s)
        z_s = rows.z_s.repeat_interleave(k, 0)
        self.cond = flow.aggregate(rows, z_s, k)
        self.first = z_s if z_s.dim() == 4 else z_s[:, 0]
        self.attention, self.told = 0.0, {}

    def __call__(self, z, t, queries=None):
        return self.transformer(z, t, self.first, self.rows.z_p, self.cond, self.cached, queries, self.rows.order)

    def compared(self, found, right):
        """What was found [G*K, C, h, w], with the right answer where nothing was computed, and its mean squared errors
        [G*K] where something was."""
        order, p = self.rows.order, self.transformer.config.patch_size
        if order is None:
            return found, (found - right).square().mean(dim=(1, 2, 3))
        found, truth = patches(found, p), patches(right, p)
        index = order[..., None].expand(-1, -1, found.shape[2])
        found = found.gather(1, index)
        errors = (found - truth.gather(1, index)).square().mean(dim=(1, 2))
        return unpatches(truth.scatter(1, index, found), p, *right.shape[2:]), errors

    def and_attend(self, z, t):
        """The velocity; `attention` then is what its attention is to be charged with, and `told` says how much."""
        if self.rows.matches is None or self.cached is None:
            return self(z, t)
        queries = []
        found = self(z, t, queries)
        error = attention_error(queries, self.cached, self.rows.matches)
        self.attention, self.told = self.rows.matches.options.weight * error, {"attention": error.detach()}
        return found


def count_parameters(module):
    """How many numbers are trained."""
    return sum(p.numel() for p in module.parameters())


