#include "nextoken.h"
const char *nt_version(void) { return "0.1.0"; }
