"""What tests of the generator share: a studio where the machine can have one."""

import pytest


@pytest.fixture(scope="session")
def model():
    """The body model; skipped where its package and its cache are missing."""
    from posed_recipe.people import assets
    from posed_recipe.people.body import BodyModel
    try:
        return BodyModel(assets.load())
    except assets.AssetsUnavailable as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def studio(model):
    """A studio for pictures of 128 x 128; skipped where OpenGL is missing."""
    from posed_recipe.people.renderer import RendererUnavailable
    from posed_recipe.people.studio import shared_studio
    try:
        return shared_studio(128)
    except RendererUnavailable as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def shots(studio):
    """Three pictures of each of eight identities, by identity."""
    return {number: list(studio.shots("train", 7, number, 3)) for number in range(8)}
