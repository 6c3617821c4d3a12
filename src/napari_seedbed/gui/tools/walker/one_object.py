"""One object at a time: a stroke proposes an object, a key keeps it, a double click reopens it."""

from collections.abc import Callable, Hashable, Iterator, MutableMapping
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image as ImageLayer
from napari.layers import Labels, Layer
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal

from napari_seedbed.core import ObjectProposer
from napari_seedbed.core.progress import Progress
from napari_seedbed.core.seeded.object_proposals import Kept, Proposal
from napari_seedbed.errors import InputError
from napari_seedbed.gui.forms.image_choice import ImageChoice
from napari_seedbed.gui.layers.seed_layers import seeds_image
from napari_seedbed.gui.layers.seed_roles import background_of, unused_label
from napari_seedbed.gui.layers.seeds_watch import SeedsWatch
from napari_seedbed.gui.layers.view_position import time_on_screen
from napari_seedbed.gui.layers.viewer_keys import ViewerKey
from napari_seedbed.gui.qt import errors
from napari_seedbed.gui.qt.delays import Delay
from napari_seedbed.gui.qt.jobs import Jobs
from napari_seedbed.gui.tools.walker.kept_objects import KeptObjects
from napari_seedbed.gui.tools.walker.one_object_form import (
    DISCARD_KEY,
    KEEP_KEY,
    OneObjectForm,
)
from napari_seedbed.gui.tools.walker.one_object_jobs import (
    Proposed,
    Wanted,
    array_at,
    brightness_of,
    excluded_by,
    index_of_strokes,
    place_of,
    proposed,
)
from napari_seedbed.gui.tools.walker.one_object_layers import ObjectLayers
from napari_seedbed.gui.tools.walker.seed_tools import SeedTools

if TYPE_CHECKING:
    from napari.viewer import Viewer

PROPOSE, COUNT = "propose", "count"
SOON = 0.02

GUIDE = "Click or paint in an object: it is proposed at once."


class OneObject(QObject):
    """Makes objects one at a time, while it is on.

    Parameters
    ----------
    viewer : Viewer
    form : OneObjectForm
    images : ImageChoice
    tools : SeedTools
    strokes : SeedsWatch
    cache : callable
        Gives what engines have prepared for the image, which all ways share.
    say : callable
        Called with what happens.

    Notes
    -----
    Signals: `progressed(Progress)`; `working(bool)` when a proposal is under way, and no more.
    """

    progressed = Signal(object)
    working = Signal(bool)

    def __init__(
        self,
        viewer: "Viewer",
        form: OneObjectForm,
        images: ImageChoice,
        tools: SeedTools,
        strokes: SeedsWatch,
        cache: Callable[[], MutableMapping[Hashable, Any]],
        say: Callable[[str], None],
    ) -> None:
        super().__init__(form)
        self._viewer, self._form, self._images, self._tools = viewer, form, images, tools
        self._strokes, self._cache, self._say = strokes, cache, say
        self.layers = ObjectLayers(viewer)
        self.is_on = False
        self._jobs = Jobs(self)
        self._jobs.changed.connect(self._on_jobs)
        self._soon = Delay(self, SOON, self._propose)
        self._seeds: Labels | None = None
        self._keys: list[ViewerKey] = []
        self._are_taken = False
        self._proposer: ObjectProposer | None = None
        self._proposer_of: Any = None
        self._kept = KeptObjects(self, self.layers, say)
        self._kept.found.connect(self._on_found)
        self._kept.moved.connect(self.follow)
        self._proposal: tuple[Proposal, Wanted, int] | None = None
        self._reopened: Kept | None = None
        self._keep_when_proposed = False
        self._reopen_when_ready = 0
        form.keep.clicked.connect(self.keep)
        form.discard.clicked.connect(self.discard)
        form.background_chosen.connect(self.follow)
        self._show()

    # What happens around it

    def set_on(self, on: bool) -> None:
        """Begin, or leave the strokes to others."""
        if on == self.is_on:
            return
        if not on:
            self._put_back()
            self.cancel()
            if self._images.watched is not None:
                self.layers.remove_proposal(self._images.watched)
        self._unbind()
        self.is_on = on
        self._bind()
        if on:
            self._say(GUIDE)
            self.follow()
        self._show()

    def watch(self, layer: Layer | None) -> None:
        """Work on another layer of strokes."""
        self._unbind()
        self._put_back()
        self._drop()
        self._seeds = layer if isinstance(layer, Labels) else None
        self._bind()
        self.follow()

    def set_awake(self, on: bool) -> None:
        """Somebody sees the panel, or nobody: keys and mouse are others' then."""
        self._unbind()
        self._are_taken = on
        self._bind()
        if on:
            self.follow()

    def forget_image(self) -> None:
        """The image is another one, or its voxels are."""
        self._put_back()
        self._drop()
        self._jobs.cancel()
        self._proposer = self._proposer_of = None

    def cancel(self) -> None:
        """Stop what is under way."""
        self._soon.stop()
        self._keep_when_proposed = False
        self._reopen_when_ready = 0
        self._jobs.cancel()

    def begin_image(self) -> None:
        """There is another image: show how bright it is."""
        if self._images.watched is None:
            return
        with errors.shown(self._say):
            layer, image = self._images.layer, self._images.quick_image()
            t = time_on_screen(self._viewer, layer)
            whole = bool(np.issubdtype(image.dtype, np.integer))
            self._jobs.start(
                COUNT,
                lambda: brightness_of(image, t),
                lambda found: self._form.show_brightness(found, whole=whole),
                self._on_error,
                can_stop=False,
            )

    def look_at_layers(self) -> None:
        """Layers came or went; objects whose layer is gone are forgotten."""
        self._offer_masks()
        image = self._images.watched
        if image is None or self.layers.kept(image) is not None:
            return
        if self._proposal is not None or self._kept.steps(image):
            self._jobs.cancel()
            self._kept.forget(image)
            self._proposer = self._proposer_of = self._reopened = None
            self._drop()
            self.follow()

    def _offer_masks(self) -> None:
        self._form.mask_layer.set_layers(
            [
                layer
                for layer in self._viewer.layers
                if isinstance(layer, Labels)
                and layer is not self._seeds
                and not self.layers.owns(layer)
            ]
        )

    def follow(self, *_: Any) -> None:
        """Strokes, or what is no object, are others now."""
        if self.is_on and self._are_taken and self._images.watched is not None:
            self._soon.start()

    # What people do

    def keep(self) -> None:
        """Keep the proposal, as soon as it is there."""
        self._strokes.look_if_due()
        if self._soon.is_waiting or PROPOSE in self._jobs or self._kept.is_looking:
            self._keep_when_proposed = True
            return
        if self._proposal is None:
            self._say(f"Nothing is proposed. {GUIDE}")
            return
        (proposal, wanted, number), self._proposal = self._proposal, None
        proposer = self._proposer
        assert proposer is not None
        self._reopened = None
        self._kept.write(wanted.layer, lambda: proposer.keep(number, proposal))
        self._kept.at(wanted.layer, wanted.time).note(number, proposal, wanted)
        self.layers.hide_proposal(wanted.layer)
        self.layers.refresh(wanted.layer)
        self._clear_strokes()
        self._kept.record(wanted)
        self._show()
        self._say(f"Kept as object {number}. {GUIDE}")

    def discard(self) -> None:
        """Throw the proposal away; an object that was reopened is as it was before."""
        self._soon.stop()
        self._keep_when_proposed = False
        self._reopen_when_ready = 0
        again = self._put_back()
        self._drop()
        self._clear_strokes()
        self._say(
            f"Object {again} is as it was."
            if again
            else "Thrown away; Ctrl+Z brings the strokes back."
        )
        self._show()

    def reopen(self, number: int) -> None:
        """Take a kept object in the hand again, with its strokes."""
        image, seeds = self._images.watched, self._seeds
        if image is None or seeds is None:
            return
        if self._proposal is not None or self._reopened is not None:
            self._say(f"First keep the proposal ({KEEP_KEY}) or throw it away (Esc).")
            return
        t = time_on_screen(self._viewer, image)
        proposer = self._proposer_at(image, t)
        if proposer is None:
            self._reopen_when_ready = number
            self._say(f"Object {number} opens in a moment…")
            self.follow()
            return
        steps = self._kept.at(image, t).steps
        step = next((one for one in reversed(steps) if one.number == number), None)
        if step is None:
            self._say(
                f"Object {number} was not made here one at a time, so there are no strokes to "
                "reopen it with. Paint on its layer to mend it."
            )
            return
        label = int(seeds.selected_label)
        background = background_of(seeds)
        if label in (0, background):
            label = next(n for n in (1, 2) if n != background)
        with errors.shown(self._say):
            index = index_of_strokes(seeds, image, t)
            if len(step.background) and not background:
                background = label + 1
                self._tools.history.set_background(background)
            self._jobs.cancel()
            self._reopened = self._kept.write(image, lambda: proposer.remove(number))
            self.layers.refresh(image)
            self._tools.history.clear()
            for places, value in ((step.strokes, label), (step.background, background)):
                if len(places):
                    seeds.data_setitem(index(places), value)
            self._say(f"Object {number} is open again: change its strokes, then {KEEP_KEY}.")
        self.follow()
        self._show()

    def _clear_strokes(self) -> None:
        self._tools.history.clear()
        # Now: strokes that come back at once are others than none.
        self._strokes.look()

    # A proposal

    def _propose(self) -> None:
        if not self.is_on or self._images.watched is None:
            return
        with errors.shown(self._say):
            wanted = self._wanted()
            if wanted is None:
                self._drop()
                self._say("One object at a time needs a Labels layer of strokes: New seeds.")
                return
            proposer = self._proposer if self._proposer_of == place_of(wanted) else None
            if self._kept.look_for_earlier(wanted.layer, wanted.image):
                return
            made, cache = self._kept.at(wanted.layer, wanted.time), self._cache()
            objects, kept = self._objects_of(wanted), self.layers.kept(wanted.layer)
            every = None if kept is None else kept.data
            self._jobs.start(
                PROPOSE,
                lambda: proposed(wanted, proposer, made, objects, every, cache),
                lambda found: self._on_proposed(found, wanted),
                self._on_error,
                on_progress=self._on_progress,
            )

    def _wanted(self) -> Wanted | None:
        layer, seeds = self._images.layer, self._seeds
        if seeds is None:
            return None
        image = self._images.image()
        t = time_on_screen(self._viewer, layer)
        marks = array_at(seeds_image(seeds, layer), t)
        excluded = excluded_by(self._form.mask_layer.layer(), image)
        darker = self._form.darker_than
        still = self._strokes.steadiness()
        return Wanted(layer, image, t, marks, background_of(seeds), darker, excluded, still)

    def _objects_of(self, wanted: Wanted) -> NDArray[Any] | None:
        if self.layers.kept(wanted.layer) is None:
            return None
        return self.layers.objects_at(wanted.layer, wanted.time).reshape(wanted.seeds.shape)

    def _on_proposed(self, found: Proposed, wanted: Wanted) -> None:
        if not self.is_on or self._images.watched is not wanted.layer:
            return
        proposer, proposal = found.proposer, found.proposal
        self._proposer, self._proposer_of = proposer, place_of(wanted)
        if not found.is_steady:
            self._strokes.doubt()
        if self._kept.look_for_earlier(wanted.layer, wanted.image):
            return  # objects that were opened meanwhile; what is found asks for a proposal again
        if self._reopen_when_ready:
            self._drop()
            number, self._reopen_when_ready = self._reopen_when_ready, 0
            self.reopen(number)
            return
        if proposal is None:
            self._drop()
            if found.why_not:
                self._say(found.why_not)
        else:
            self._begin(wanted, proposer)
            number = self._next_number(wanted.layer, found.highest)
            self._proposal = (proposal, wanted, number)
            self.layers.propose(
                wanted.layer, wanted.image, wanted.time, proposal.region, proposal.mask, number
            )
            self._say(
                f"Proposed: {np.count_nonzero(proposal.mask):,} voxels. {KEEP_KEY} keeps it as "
                f"object {number}, Esc throws it away; Shift and the left button take away."
            )
        keep, self._keep_when_proposed = self._keep_when_proposed, False
        self._show()
        if keep:
            self.keep()

    def _begin(self, wanted: Wanted, proposer: ObjectProposer) -> None:
        """Let there be a layer that objects are kept in."""
        if self.layers.kept(wanted.layer) is None:
            self._kept.begin(wanted.layer, wanted.image)
            objects = self._objects_of(wanted)
            assert objects is not None
            proposer.objects = objects
            proposer.samples = self._kept.at(wanted.layer, wanted.time).samples

    def _proposer_at(self, image: ImageLayer, t: int | None) -> ObjectProposer | None:
        """The proposer where it knows what was kept; None before that."""
        if self._kept.look_for_earlier(image, self._images.image()):
            return None
        if self._proposer is None or (self._proposer_of[0], self._proposer_of[2]) != (image, t):
            return None
        is_known = self._proposer.samples is self._kept.at(image, t).samples
        return self._proposer if is_known else None

    def _on_found(self) -> None:
        self._show()
        self.follow()

    def _on_error(self, error: BaseException) -> None:
        self._keep_when_proposed = False
        self._reopen_when_ready = 0
        self._drop()
        self._say(errors.show(error))

    def _on_progress(self, progress: Progress) -> None:
        self.progressed.emit(progress)
        if progress.message:
            self._say(f"{progress.message}…")

    def _on_jobs(self) -> None:
        self.working.emit(PROPOSE in self._jobs)

    def _drop(self) -> None:
        """No proposal is there any more."""
        self._proposal = None
        if self._images.watched is not None:
            self.layers.hide_proposal(self._images.watched)
        self._show()

    def _put_back(self) -> int:
        """Let a reopened object be as it was; its number, 0 where none was open."""
        kept, self._reopened = self._reopened, None
        if kept is None or self._proposer is None:
            return 0
        self._jobs.cancel()
        proposer, image = self._proposer, self._proposer_of[0]
        self._kept.write(image, lambda: proposer.put_back(kept))
        self.layers.refresh(image)
        return kept.number

    # What was kept

    def record(self) -> dict[str, Any]:
        """How the kept objects were made; InputError where there are none."""
        wanted = self._wanted() if self._images.watched is not None else None
        if wanted is None or not self._kept.steps(wanted.layer):
            raise InputError(f"There is no object yet. {GUIDE}")
        return self._kept.recipe_record(wanted)

    def _next_number(self, image: ImageLayer, highest: int) -> int:
        """Its own for an object that was reopened, else the next free one."""
        if self._reopened is not None:
            return self._reopened.number
        return max(highest, *(step.number for step in self._kept.steps(image)), 0) + 1

    def _show(self) -> None:
        self._form.keep.setEnabled(self._proposal is not None)
        self._form.discard.setEnabled(self._proposal is not None or self._reopened is not None)
        image = self._images.watched
        numbers = set() if image is None else {step.number for step in self._kept.steps(image)}
        self._form.count.setText(
            f"{len(numbers)} object{'s' * (len(numbers) != 1)} kept." if numbers else ""
        )

    # Keys and mouse

    def _bind(self) -> None:
        if not (self.is_on and self._are_taken and self._seeds is not None):
            return
        self._keys = [
            ViewerKey(self._seeds, KEEP_KEY, self.keep),
            ViewerKey(self._seeds, DISCARD_KEY, self.discard),
        ]
        for key in self._keys:
            key.take()
        self._viewer.mouse_drag_callbacks.insert(0, self._while_taking_away)
        self._viewer.mouse_double_click_callbacks.append(self._on_double_click)

    def _unbind(self) -> None:
        for key in self._keys:
            key.give_back()
        self._keys = []
        for callbacks, own in (
            (self._viewer.mouse_drag_callbacks, self._while_taking_away),
            (self._viewer.mouse_double_click_callbacks, self._on_double_click),
        ):
            if own in callbacks:
                callbacks.remove(own)

    def _is_painting(self) -> bool:
        seeds = self._seeds
        active = self._viewer.layers.selection.active
        return seeds is not None and active is seeds and seeds.mode in ("paint", "fill")

    def _while_taking_away(self, viewer: Any, event: Any) -> Iterator[None]:
        """With Shift the brush paints background."""
        seeds = self._seeds
        if seeds is None or not self._is_painting() or "Shift" not in event.modifiers:
            return
        before = int(seeds.selected_label)
        label = background_of(seeds)
        if not label:
            label = max(unused_label(seeds), before + 1)
            self._tools.history.set_background(label)
        seeds.selected_label = label
        yield
        while event.type == "mouse_move":
            yield
        seeds.selected_label = before

    def _on_double_click(self, viewer: Any, event: Any) -> None:
        image = self._images.watched
        layer = None if image is None else self.layers.kept(image)
        if layer is None or not self._is_painting() or self._viewer.dims.ndisplay != 2:
            return
        value = layer.get_value(event.position, world=True)
        if value:
            self.reopen(int(value))
