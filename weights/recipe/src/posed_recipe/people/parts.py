"""The numbers of the part map, and how places on a person are kept."""

BACKGROUND, HEAD, ARMS, BODY, HAIR, TOP, TROUSERS, OUTER, SKIRT, SHOES, SOCKS, ACCESSORY, EYES = range(13)
FURNITURE = 15
PLACE_ORIGIN, PLACE_STEP = -10.0, 1 / 12
"""Decimetres: a place on the body at rest is bytes times the step from the origin."""
NAMES = ("background", "head", "arms", "body", "hair", "top", "trousers", "outer", "skirt", "shoes", "socks",
         "accessory", "eyes")


def person(parts):
    """Where a part map shows the person."""
    return (parts > BACKGROUND) & (parts < FURNITURE)
