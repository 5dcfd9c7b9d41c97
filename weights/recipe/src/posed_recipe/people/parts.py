"""The numbers of the part map."""

BACKGROUND, HEAD, ARMS, BODY, HAIR, TOP, TROUSERS, OUTER, SKIRT, SHOES, SOCKS, ACCESSORY, EYES = range(13)
FURNITURE = 15
NAMES = ("background", "head", "arms", "body", "hair", "top", "trousers", "outer", "skirt", "shoes", "socks",
         "accessory", "eyes")


def person(parts):
    """Where a part map shows the person."""
    return (parts > BACKGROUND) & (parts < FURNITURE)
