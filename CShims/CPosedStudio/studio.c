#include "posed_studio.h"

static const unsigned char index_html[] = {
#embed "studio/index.html"
};
static const unsigned char studio_css[] = {
#embed "studio/studio.css"
};
static const unsigned char icon_svg[] = {
#embed "studio/icon.svg"
};
static const unsigned char studio_js[] = {
#embed "studio/studio.js"
};
static const unsigned char api_js[] = {
#embed "studio/api.js"
};
static const unsigned char live_js[] = {
#embed "studio/live.js"
};
static const unsigned char skeleton_js[] = {
#embed "studio/skeleton.js"
};
static const unsigned char openapi_json[] = {
#embed "openapi.json"
};

#define SCRIPT "text/javascript; charset=utf-8"

static const posed_studio_file posed_studio_files[] = {
    {"index.html", "text/html; charset=utf-8", index_html, sizeof index_html},
    {"studio.css", "text/css; charset=utf-8", studio_css, sizeof studio_css},
    {"icon.svg", "image/svg+xml", icon_svg, sizeof icon_svg},
    {"studio.js", SCRIPT, studio_js, sizeof studio_js},
    {"api.js", SCRIPT, api_js, sizeof api_js},
    {"live.js", SCRIPT, live_js, sizeof live_js},
    {"skeleton.js", SCRIPT, skeleton_js, sizeof skeleton_js},
    {"openapi.json", "application/json", openapi_json, sizeof openapi_json},
};

const posed_studio_file *posed_studio_file_at(size_t index) {
  return index < sizeof posed_studio_files / sizeof posed_studio_files[0] ? &posed_studio_files[index] : NULL;
}
