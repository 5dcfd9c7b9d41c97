#include "Emulation.h"

const unsigned char standin_device_text[] = {
#embed "emulation/device.cuh" suffix(, 0)
};
const unsigned char standin_lanes_text[] = {
#embed "emulation/lanes.h" suffix(, 0)
};
