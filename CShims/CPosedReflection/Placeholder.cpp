#include "posed_reflection.h"
