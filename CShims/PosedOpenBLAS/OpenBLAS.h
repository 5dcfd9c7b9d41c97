// OpenBLAS as a product engine: loaded when it is wanted, never linked, so that the plugin runs where
// it is missing.
#pragma once

#include <string>

#include "posed_cpu/float32.h"

namespace posed::blas {

/// The engine, or null with `why` set to a sentence. Loads the library on the first call.
const float32::Engine *openblas_engine(std::string &why);

/// The engine of this machine: with AVX2 or AVX-512 our own, whose weights are packed once and whose
/// rows never depend on their place; OpenBLAS on older processors where it is installed. The
/// environment's POSED_BLAS_PRODUCT, "own" or "openblas", decides otherwise. Throws when the engine
/// asked for is missing.
const float32::Engine &choose_engine();

} // namespace posed::blas
