/* What scan_block.h makes, once for each instruction set. */
#ifndef NT_TEXT_SCAN_BLOCKS_H
#define NT_TEXT_SCAN_BLOCKS_H

#include "text/split/scan.h"

/* Ends of whole blocks, as many as fit into room >= NT_SCAN_SLOTS. *slow: the next block must be
 * scanned word by word. */
size_t nt_scan_blocks(uint32_t *ends, size_t room, bool *slow, nt_scan *scan);
size_t nt_scan_blocks_avx2(uint32_t *ends, size_t room, bool *slow, nt_scan *scan);

#endif
