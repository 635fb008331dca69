#!/bin/sh
# Puts plausible mistakes back, one at a time, into a copy of the headers and of the model, and sees that the model notices.
#
#     sh tests/model/mutate.sh [name...]        all of them without a name; about ten seconds each
#     sh tests/model/mutate.sh --applies        builds nothing: is each line of the table still about something that is there?
#
# Left out, because no schedule can show it: a mend that wakes nobody. A sleeper's own slice ends, and it mends and looks
# itself: the wake only saves it the rest of the slice. And followers that look too early, or that nobody wakes: relief is called where no
# follower was asleep, and receives for them.
#
# Each line of the table: name | group of scenarios that must notice | file | sed program. Files in include/strait are the
# algorithms; those in tests/model stand for the same lines of handle/ and wait/, which open segments and cannot be compiled here.

set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
compiler=${CXX:-g++}
failed=0
only_applies=
if [ "${1:-}" = --applies ]; then
  only_applies=yes
  shift
fi

mutations() {
  cat <<'TABLE'
announce_without_a_second_look|undisturbed|tests/model/world.hpp|/announce(signal_word(name))/{n;n;s/if (attempt()) return;//}
publish_wakes_nobody|undisturbed|tests/model/ring_model.hpp|/ring_->publish(at);/{n;s/wake(SignalName::readers);//}
abandon_wakes_nobody|undisturbed|tests/model/ring_model.hpp|/^      ring_->abandon(at);/{n;s/wake.*//;n;s/wake.*//}
release_wakes_nobody|undisturbed|tests/model/ring_model.hpp|/ring_->release(at);/{n;s/wake.*//}
wake_only_one|undisturbed|tests/model/ring_model.hpp|s/wake_only_one(false)/wake_only_one(true)/
wake_keeps_the_sequence|undisturbed|include/strait/wait/signal.hpp|s/(seen + 2) & ~may_sleep/seen \& ~may_sleep/
put_back_counts_first|undisturbed|include/strait/ring/ring.hpp|/void put_back(ReaderCursor/,/^  }/{s/word(at).exchange/memory_.given_back().fetch_add(1, std::memory_order_seq_cst); word(at).exchange/;s/^    memory_.given_back().fetch_add(1, std::memory_order_seq_cst);$//}
put_back_does_not_count|undisturbed|include/strait/ring/ring.hpp|s/^    memory_.given_back().fetch_add(1, std::memory_order_seq_cst);//
no_look_back_at_the_count|undisturbed|include/strait/ring/ring.hpp|s/at = Geometry::lap_back(at);//
writers_do_not_recycle_skipped_nodes|undisturbed|include/strait/ring/ring.hpp|s/ahead == one_lap_behind && seen.phase() == Phase::skipped) {  \/\/ cases 1 and 4/false) {/
readers_do_not_step_over_skipped_nodes|undisturbed|include/strait/ring/ring.hpp|s/word.compare_exchange_strong(seen.bits, NodeWord::of(at.lap + 1, Phase::free).*/return {Found::none, at};/
writer_jumps_a_lap_too_far_on_free|undisturbed|include/strait/ring/ring.hpp|s/is_free ? ahead - 1 : ahead/ahead/
reader_jumps_one_lap_short_only|one_death|include/strait/ring/ring.hpp|s/ahead > 2 ? ahead - 2 : 0/ahead > 1 ? ahead - 1 : 0/
newcomer_reader_starts_at_node_0|one_death|include/strait/ring/ring.hpp|s/geometry_.next({(node_0_lap() - 2) & layout::lap_mask, 0})/Position{node_0_lap(), 0}/
newcomer_writer_starts_at_node_0|one_death|include/strait/ring/ring.hpp|s/geometry_.next({(node_0_lap() - 1) & layout::lap_mask, 0})/Position{node_0_lap(), 0}/
laps_compared_without_the_wrap|undisturbed|include/strait/ring/ring.hpp|s/const auto ahead = laps_ahead(seen.lap(), at.lap);/const auto ahead = seen.lap() < at.lap ? one_lap_behind : seen.lap() - at.lap;/
seen_is_stored_before_the_walk|shared_handle|include/strait/ring/ring.hpp|s/^          counted = count;/          counted = count; cursor.seen.store(count, std::memory_order_release);/
seen_takes_a_count_read_after_the_walk|undisturbed|include/strait/ring/ring.hpp|s/if (looked_back) cursor.seen.store(counted, std::memory_order_release);/if (looked_back) cursor.seen.store(memory_.given_back().load(std::memory_order_seq_cst), std::memory_order_release);/
further_claim_leaves_the_first_unmarked|exclusive|include/strait/ring/ring.hpp|/void mark_claimed/,/^  }/s/word(at).exchange.*//
further_take_leaves_the_first_unmarked|exclusive|include/strait/ring/ring.hpp|/void mark_reading/,/^  }/s/word(at).exchange.*//
exclusive_put_back_keeps_the_hint|exclusive|include/strait/ring/ring.hpp|/void look_back(ReaderCursor/{n;s/if .*//}
exclusive_abandon_keeps_the_hint|exclusive|include/strait/ring/ring.hpp|s/void look_back(WriterCursor<Memory>& cursor, Position at) noexcept { store(cursor.hint, at); }/void look_back(WriterCursor<Memory>\&, Position) noexcept {}/
claim_does_not_look_at_closed|closing|tests/model/ring_model.hpp|s/if (!is_closed()) return Verdict::ok;/return Verdict::ok;/
exclusive_publish_does_not_look_at_closed|closing|tests/model/ring_model.hpp|s/if (!is_closed() || !ring_->withdraw(at)) {/if (true) {/
withdraw_does_nothing|closing|include/strait/ring/ring.hpp|/bool withdraw/,/^  }/s/return word(at).*/return false \&\& word(at).compare_exchange_strong(expected, NodeWord::of(at.lap, Phase::skipped).bits, std::memory_order_seq_cst,/
reader_looks_at_closed_after_its_walk|closing|tests/model/ring_model.hpp|s/const bool closed = is_closed();.*//;s/if (!closed || found.found != Found::none) return false;/if (!is_closed() || found.found != Found::none) return false;/
reader_takes_claimed_for_the_end|closing|tests/model/ring_model.hpp|s/if (!closed || found.found != Found::none) return false;/if (!closed) return false;/
closing_wakes_nobody|closing|tests/model/ring_model.hpp|/world.closed.store(1);/{n;s/SeatWords.*//}
closing_wakes_first|closing|tests/model/ring_model.hpp|s/world.closed.store(1);/SeatWords(id_).wake_all(); world.closed.store(1); return;/
sleeper_does_not_fence|late|tests/model/world.hpp|/announce(signal_word(name))/{n;s/fence();//}
sleeper_fences_before_its_announcement|late|tests/model/world.hpp|s/const std::uint32_t announced = wait::announce(signal_word(name));/fence(); const std::uint32_t announced = wait::announce(signal_word(name));/;/wait::announce(signal_word(name));/{n;s/fence();//}
reader_believes_the_end_without_a_fence|late|tests/model/ring_model.hpp|s/if (closed) fence();//
reader_fences_after_its_walk|late|tests/model/ring_model.hpp|s/if (closed) fence();//;s/      if (!closed || found.found != Found::none) return false;/      if (closed) fence(); if (!closed || found.found != Found::none) return false;/
counter_before_the_mend|one_death|include/strait/liveness/repair.hpp|s/^  memory.mend_contents(dead);/  memory.given_back().fetch_add(1, std::memory_order_seq_cst); memory.mend_contents(dead);/;s/^  memory.given_back().fetch_add(1, std::memory_order_seq_cst);$//
mend_does_not_count|one_death|include/strait/liveness/repair.hpp|s/^  memory.given_back().fetch_add(1, std::memory_order_seq_cst);//
mend_leaves_messages_being_read|one_death|include/strait/ring/ring.hpp|s/seen.phase() == Phase::reading) {$/false) {/
mender_does_not_hand_on|two_deaths|include/strait/liveness/repair.hpp|s/if (seat != dead && seen.state() == SeatState::mending && seen.mender() == dead)/if (false)/
seat_freed_before_its_mend|one_death|include/strait/liveness/repair.hpp|s/^  repair(memory, seat);//;s/^  return true;/  repair(memory, seat); return true;/
newcomer_sits_down_unmended|one_death|include/strait/liveness/seats.hpp|s/      repair(memory, seat);//
the_living_are_mended|one_death|include/strait/liveness/repair.hpp|s/if (!memory.is_dead(seat)) return false;//
living_menders_are_taken_over|two_deaths|include/strait/liveness/repair.hpp|s/ || !memory.is_dead(seen.mender())) return false;/) return false;/
presence_dropped_before_the_seat_is_free|one_death|include/strait/liveness/seats.hpp|s/^  SeatWord seen{memory.seat_word(me).load(std::memory_order_relaxed)};/  memory.drop(me); SeatWord seen{memory.seat_word(me).load(std::memory_order_relaxed)};/
lock_reader_looks_before_it_counts|lock|include/strait/lock/rw_lock.hpp|/memory_.readers(me).fetch_add/{n;s/if (is_free()) return true;/return true;/}
lock_refused_reader_wakes_nobody|lock|include/strait/lock/rw_lock.hpp|s/^    unlock_shared(me);/    memory_.readers(me).fetch_sub(1, std::memory_order_seq_cst);/
lock_reader_leaves_without_a_wake|lock|include/strait/lock/rw_lock.hpp|s/memory_.wake(SignalName::reader_left);//
lock_unlock_wakes_nobody|lock|include/strait/lock/rw_lock.hpp|s/memory_.wake(SignalName::lock_freed);//
lock_writer_skips_its_own_seat|lock|tests/model/lock_model.hpp|s/next = lock.next_reader(next);/next = lock.next_reader(next); if (next == seat) next = lock.next_reader(next + 1);/
lock_unlock_keeps_the_mark|lock|include/strait/lock/rw_lock.hpp|s/void unlock() noexcept { set_word(0); }/void unlock() noexcept { unlock_keeping_mark(); }/
lock_giving_up_drops_the_mark|lock|include/strait/lock/rw_lock.hpp|s/set_word(memory_.lock().load(std::memory_order_relaxed) & lock_abandoned);/set_word(0);/
lock_next_writer_drops_the_mark|lock|include/strait/lock/rw_lock.hpp|s/(me + 1) . (seen & lock_abandoned)/me + 1/
lock_mend_does_not_mark|lock|include/strait/lock/rw_lock.hpp|s/compare_exchange_strong(seen, lock_abandoned, /compare_exchange_strong(seen, 0, /
lock_mend_keeps_the_counts|lock|include/strait/lock/rw_lock.hpp|s/memory_.readers(dead).store(0, std::memory_order_seq_cst);//
mutex_overtakes_the_first|mutex|include/strait/lock/mutex.hpp|s/if (!first.is_nobody() && first != me) return false;//
mutex_first_stays_first|mutex|include/strait/lock/mutex.hpp|s/if (first == me) clear_first(me);//
mutex_giving_up_wakes_nobody|mutex|include/strait/lock/mutex.hpp|/void give_up_first/,/^  }/s/memory_.wake(SignalName::lock_freed);//
mutex_mend_leaves_the_first|mutex|include/strait/lock/mutex.hpp|s/if (first.is_of(dead)) clear_first(first);//
event_set_takes_any_waiter|event|include/strait/event/event.hpp|s/ || seen.order() < oldest.entry.order()))/ || seen.order() > oldest.entry.order()))/
event_bit_is_not_looked_at_again|event|include/strait/event/event.hpp|s/if (!take()) return false;/return false;/
event_set_wakes_nobody|event|include/strait/event/event.hpp|/event: set"/{n;s/memory_.wake();//}
event_two_sets_let_one_go|event|include/strait/event/event.hpp|s/if (!withdraw(place)) set_automatic();.*/withdraw(place);/
event_time_out_loses_a_set|event|tests/model/event_model.hpp|s/} else if (event.leave(place)) {/} else if (event.leave(place) \&\& false) {/
event_mend_loses_the_set|event|include/strait/event/event.hpp|/seen.state() == EntryState::waiting && withdraw_waiting/{n;s/if (!release_oldest()) raise();//}
event_mend_frees_first|event|include/strait/event/event.hpp|/seen.state() == EntryState::waiting && withdraw_waiting/{n;s/if (!release_oldest()) raise();/free(place); if (!release_oldest()) raise();/}
event_set_looks_at_the_bit_first|event|include/strait/event/event.hpp|s/if (!release_oldest()) raise();/if (!raise()) release_oldest();/
event_manual_forgets_the_count|event|include/strait/event/event.hpp|s/ || now >> 1 != since >> 1;/;/
cell_begins_before_the_journal|cell|include/strait/cell/cell.hpp|s/^    memory_.keep(seen.journal());/    memory_.state().store(seen.begun().bits); memory_.keep(seen.journal());/
cell_changes_before_it_begins|cell|include/strait/cell/cell.hpp|s/^    memory_.state().store(seen.begun().bits, std::memory_order_release);//
cell_reader_does_not_look_again|cell|include/strait/cell/cell.hpp|s/if (same(seen)) .*/return seen.version();/
cell_reader_trusts_the_journal|cell|include/strait/cell/cell.hpp|s/if (is_kept(seen)) return seen.version();/return seen.version();/
cell_one_journal|cell|include/strait/layout/cell.hpp|s/return static_cast<unsigned>((version() + put_back()) & 1);/return 0;/
cell_put_back_leaves_no_trace|cell|include/strait/cell/cell.hpp|s/exchange(seen.undone().bits, /exchange(seen.bits - 1, /
cell_mend_does_nothing|cell|include/strait/cell/cell.hpp|s/^    if (!seen.is_writing()) return;/    return;/
cell_mend_says_before_it_puts_back|cell|include/strait/cell/cell.hpp|s/^    memory_.put_back(seen.journal());/    memory_.state().exchange(seen.undone().bits); memory_.put_back(seen.journal()); return;/
cell_change_wakes_nobody|cell|tests/model/cell_model.hpp|s/^    wake(SignalName::reader_left);//
broadcast_looks_at_the_lines_once|broadcast|include/strait/broadcast/writer.hpp|s/limit_ = (std::min)(limit, first_unread() + nodes);/limit_ = limit;/
broadcast_limit_after_the_lines|broadcast|include/strait/broadcast/writer.hpp|s/^    memory_.limit().exchange(limit, std::memory_order_seq_cst);//;s/^    return end <= limit_;/    memory_.limit().exchange(limit, std::memory_order_seq_cst); return end <= limit_;/
broadcast_room_for_one_too_many|broadcast|include/strait/broadcast/writer.hpp|s/return next_ + count <= limit_ ||/return next_ + count <= limit_ + 1 ||/
broadcast_loans_are_written_over|broadcast|include/strait/broadcast/writer.hpp|s/return number == number_ ? shown_ :/return number == number_ ? next_ :/
broadcast_kept_is_shown_at_once|broadcast|include/strait/broadcast/writer.hpp|s/BroadcastPhase::kept)/BroadcastPhase::published)/
broadcast_number_is_not_set_again|broadcast|include/strait/broadcast/writer.hpp|/filled = claim.state == State::filled/,/^      }/s/memory_.message(index).store.*//
broadcast_claims_after_it_has_written|broadcast|include/strait/broadcast/writer.hpp|s/^    memory_.claimed().store(next_, std::memory_order_relaxed);//;s/^    shown_ = at + count;/    shown_ = at + count; memory_.claimed().store(next_, std::memory_order_relaxed);/
broadcast_join_looks_at_the_limit_once|broadcast|include/strait/broadcast/reader.hpp|s/^    at = (std::max)(at, safe_start());//
broadcast_join_from_nothing|broadcast|include/strait/broadcast/reader.hpp|s/expected_ = joined_ - (std::min)(joined_, history);/expected_ = joined_ + 1 - (std::min)(joined_ + 1, history);/
broadcast_reader_trusts_what_it_copied|broadcast|tests/model/broadcast_model.hpp|/const auto content = /{n;s/if (.reader.is_whole()) {/if (false) {/}
broadcast_reader_misses_by_one|broadcast|include/strait/broadcast/reader.hpp|s/<= next_ + geometry_.node_count();/<= next_ + geometry_.node_count() + 1;/
broadcast_overrun_is_not_counted|broadcast|include/strait/broadcast/reader.hpp|s/if (number > from) missed_ += number - from;//
broadcast_half_a_message_goes_on|broadcast|include/strait/broadcast/reader.hpp|/void jump(bool ended)/{n;s/is_inside_ = false;//}
broadcast_kept_is_forgotten|broadcast|include/strait/broadcast/reader.hpp|s/word.phase() == BroadcastPhase::kept \&\& ended/false/
broadcast_end_before_the_last_look|broadcast|tests/model/broadcast_model.hpp|s/^        ended = true;$/        return one.at_end = true;/
broadcast_part_wakes_nobody|broadcast|tests/model/broadcast_model.hpp|s/^          wake(news);//
broadcast_reader_wakes_nobody|broadcast|tests/model/broadcast_model.hpp|s/if (lossless) wake(room);//
broadcast_join_wakes_nobody|broadcast|tests/model/broadcast_model.hpp|s/^        wake(room);$//
broadcast_connected_before_it_knows|broadcast|tests/model/broadcast_model.hpp|s/^        broadcast_words.connected.line..store(1);//;s/^        one.shown_before = visible();/        one.shown_before = visible(); broadcast_words.connected[line].store(1);/
broadcast_dead_subscriber_stays|broadcast|tests/model/broadcast_model.hpp|s/broadcast_words.state.dead..store(static_cast<std::uint32_t>(LineState::none));//
pair_removed_while_ready|pair|tests/model/pair_model.hpp|s/^      control(object).content = Content::creating;$//
pair_control_segment_removed_first|pair|tests/model/pair_model.hpp|s/^    step("look at the record");/    control_name_ = 0; step("look at the record");/
pair_recorded_after_it_is_filled|pair|tests/model/pair_model.hpp|s/^    step("record them");/    bytes_[at(number)].filled = true; check(); step("record them");/
pair_removed_without_a_look|pair|tests/model/pair_model.hpp|s/if (saw(bytes_name_ == recorded)) {/if (saw(bytes_name_ != 0)) {/
pair_adopted_as_ours|pair|tests/model/pair_model.hpp|s/control(object).is_ours = creates;/control(object).is_ours = true;/
pair_stale_bytes_left|pair|tests/model/pair_model.hpp|s/const int recorded = control(object).is_ours ? control(object).recorded : 0;/const int recorded = control(object).content == Content::ready \&\& control(object).is_ours ? control(object).recorded : 0;/
life_gate_is_not_looked_at_again|life|include/strait/platform/posix/two_file_lock.hpp|s/if (gate->is_in_place()) return true;/return true;/
life_left_without_the_gate|life|include/strait/platform/posix/two_file_lock.hpp|s/life_ \&\& wait_for_gate(gate_, name_);/life_.has_value(); gate_.emplace(name_, name_ + ".gate");/
life_gate_is_let_go_before_the_lock_is_converted|life|include/strait/platform/posix/two_file_lock.hpp|/if (is_exclusive_) {/{n;s/life_->try_shared();/gate_.reset(); life_->try_shared();/}
life_joined_after_the_gate|life|include/strait/platform/posix/two_file_lock.hpp|s/^    if (!life_->try_shared()) life_.reset();/    gate_.reset(); if (!life_->try_shared()) life_.reset();/
life_another_ones_file_is_removed|life|include/strait/platform/posix/two_file_lock.hpp|s/if (life_->is_in_place()) life_->remove();/life_->remove();/
life_new_gate_is_left|life|include/strait/platform/posix/two_file_lock.hpp|s/if (has_gate \&\& !is_exclusive_ .*//
life_removed_by_hand_without_the_gate|life|include/strait/platform/posix/two_file_lock.hpp|/explicit Removal/s/{ wait_for_gate(gate_, name_); }/{}/
lock_free_means_the_whole_word_is_zero|lock|include/strait/lock/rw_lock.hpp|s/return (word & ~lock_abandoned) == 0;/return word == 0;/
attendance_leaves_the_ring_to_nobody|attendance|include/strait/rpc/attendance.hpp|/void leave(Hands/,/^  }/s/call_relief(hands, at_once);//
attendance_user_code_leaves_it_to_nobody|attendance|tests/model/attendance_model.hpp|s/if (attendance_.count() == 0) attendance_.call_relief(.this, scenario_.slow);//
attendance_follower_sleeps_without_a_look|attendance|include/strait/rpc/attendance.hpp|s/if (count() != 0 .. !finished())/if (!finished())/
attendance_relief_is_called_again_and_again|attendance|include/strait/rpc/attendance.hpp|s/if (seen == word_of(Relief::called) ||/if (/
attendance_failed_call_is_final|attendance|include/strait/rpc/attendance.hpp|s/while (hands.has_idle());/while (false);/
attendance_relief_looks_before_it_arrives|attendance|tests/model/attendance_model.hpp|s/^      if (me.has_mine) {/      if (late) arrive(); late = false; if (me.has_mine) {/;s/^    arrive();/    bool late = false;/;s/if (was_called) return arrive();/if (was_called) return;/
attendance_ticker_ends_without_a_look|attendance|tests/model/attendance_model.hpp|s/goes_on = !quiet .. attendance_.count() == 0;/goes_on = !quiet;/
attendance_queued_requests_call_nobody|attendance|tests/model/attendance_model.hpp|s/if (queued_some .. me == nullptr) call_worker();//
attendance_idle_does_not_look_at_the_work|attendance|tests/model/attendance_model.hpp|s/bool goes_on = waiting() != 0;/bool goes_on = false;/
attendance_announces_without_a_second_look|attendance|tests/model/attendance_model.hpp|s/if (finished() .. may_have_message()) return true;//
attendance_sender_sleeps_and_leaves_the_ring|attendance|tests/model/attendance_model.hpp|s/attendance_.leave(hands, !found);/attendance_.end();/
attendance_end_wakes_no_sleeper|attendance|tests/model/attendance_model.hpp|s/case rpc::At::asleep: scheduler.wake(.call.word.word()); break;//
TABLE
}

build_and_run() {  # folder, group
  "$compiler" -std=c++20 -O1 -w -I"$1/include" -I"$1/tests" "$1/tests/model/mutant.cc" -o "$1/mutant" 2>"$1/errors" || return 3
  code=0
  timeout 120 "$1/mutant" "$2" >"$1/output" 2>&1 || code=$?
  return $code
}

mutations >"$work/table"
while IFS='|' read -r name group file program; do
  if [ $# -gt 0 ]; then
    case " $* " in *" $name "*) ;; *) continue ;; esac
  fi
  copy="$work/copy"
  rm -rf "$copy"
  mkdir -p "$copy/tests"
  cp -r "$root/include" "$copy/include"
  cp -r "$root/tests/model" "$copy/tests/model"
  # A "|" in a sed program would end the table's column: read puts the rest into the last field, so it is whole.
  sed -i "$program" "$copy/$file"
  if cmp -s "$root/$file" "$copy/$file"; then
    echo "NOT APPLIED  $name"
    failed=1
    continue
  fi
  [ -z "$only_applies" ] || continue
  code=0
  build_and_run "$copy" "$group" || code=$?
  case $code in
    0) echo "SURVIVED     $name"; failed=1 ;;
    3) echo "NO COMPILE   $name"; head -5 "$copy/errors"; failed=1 ;;
    124) echo "TIMEOUT      $name"; failed=1 ;;
    *) echo "caught       $name   ($(grep -m1 '^CAUGHT' "$copy/output" | cut -c8- || true))" ;;
  esac
done <"$work/table"
exit $failed
