"""A hook of mkdocs: links that lead to folders and sources of the repository become plain text, since the site has
neither."""

import posixpath
import re

LINK = re.compile(r"(?<!!)\[([^\]\n]+)\]\((?!https?:|#|mailto:)([^)\s#]+)(#[^)\s]*)?\)")


def on_page_markdown(markdown, page, config, files, **_):
    """Called by mkdocs for each page before it is rendered."""
    def replaced(match):
        target = posixpath.normpath(posixpath.join(posixpath.dirname(page.file.src_uri), match.group(2)))
        if files.get_file_from_path(target) is not None:
            return match.group()
        readme = files.get_file_from_path(posixpath.join(target, "README.md"))
        if readme is not None:
            return f"[{match.group(1)}]({posixpath.join(match.group(2), 'README.md')}{match.group(3) or ''})"
        return f"{match.group(1)} (`{target}`)" if "/" in target else match.group(1)
    return LINK.sub(replaced, markdown)
