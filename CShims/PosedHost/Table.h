#pragma once

#include "posed_backend.h"

namespace posed {

/// Sets the functions of streams, events and graphs.
void fill_stream(posed_backend &table);

} // namespace posed
