"""The transformer and its encoder as they are trained: batches to losses."""

from torch import nn

from posed_recipe.flow.path import point, velocity


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
        errors = self.conditional(rows)
        known, late = errors.detach(), (rows.t > 0.5).float()
        return errors, {
            "early": (known * (1 - late)).sum() / (1 - late).sum(), "late": (known * late).sum() / late.sum()}

    def predictor(self, rows):
        """The velocity of the rows' conditions, as a function of latents [G*K, C, h, w] and times [G*K]."""
        model = self.transformer
        k = len(rows.y) // len(rows.z_s)
        cached = model.reference(rows.z_s)
        z_s = rows.z_s.repeat_interleave(k, 0)
        cond = self.aggregate(rows, z_s, k)
        first = z_s if z_s.dim() == 4 else z_s[:, 0]
        return lambda z, t: model(z, t, first, rows.z_p, cond, cached)

    def conditional(self, rows):
        """Mean squared errors [G*K] of the conditional branch."""
        found = self.predictor(rows)(point(rows.z0, rows.y, rows.t), rows.t)
        return (found.float() - velocity(rows.z0, rows.y)).square().mean(dim=(1, 2, 3))

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


def count_parameters(module):
    """How many numbers are trained."""
    return sum(p.numel() for p in module.parameters())


