#include "posed_backend.h"
