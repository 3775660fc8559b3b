/* One look at what comes next, with nothing chosen. */
#include "base/status.h"
#include "decode/process/processor.h"
#include "decode/search/tracks.h"

static int peek(nt_result *trace, const nt_decoding *with, nt_tracks *tracks,
                nt_processors *processors) {
    int32_t sequence;
    nt_given given;
    NT_TRY(nt_tracks_start(tracks, &sequence, &given));
    int status = nt_processors_run(processors, given.logits[0], nt_unguided(&given, 0),
                                   with->prompt, with->plan->n_prompt);
    nt_sight sight = nt_processors_sight(processors);
    if (status == NT_OK) status = nt_trace_add_step(trace, &sight, -1);
    nt_tracks_drop(tracks, sequence);
    return status;
}

int nt_decode_peek(nt_result *trace, const nt_decoding *with) {
    nt_tracks tracks;
    nt_processors processors;
    nt_tracks_begin(&tracks, with, &trace->effort);
    int status = nt_processors_begin(&processors, with->plan, with->stepper->V);
    if (status == NT_OK) status = peek(trace, with, &tracks, &processors);
    nt_processors_free(&processors);
    nt_tracks_free(&tracks);
    return status;
}
