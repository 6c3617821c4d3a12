"""What a run of seeded segmentation is asked for, from the layers and settings of the moment."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from napari_seedbed.errors import InputError
from napari_seedbed.gui.forms.image_choice import ImageChoice
from napari_seedbed.gui.forms.parameter_fields import FieldsWithMore
from napari_seedbed.gui.layers.seed_layers import copied_seeds, seeds_image
from napari_seedbed.gui.layers.seeds_watch import SeedsWatch
from napari_seedbed.gui.layers.view_position import slice_on_screen, time_on_screen
from napari_seedbed.gui.tools.walker.lessons_line import LessonsLine
from napari_seedbed.gui.tools.walker.one_object_form import OneObjectForm
from napari_seedbed.gui.tools.walker.one_object_jobs import excluded_by
from napari_seedbed.gui.tools.walker.seed_tools import SeedTools
from napari_seedbed.gui.tools.walker.seeded_session import (
    OPERATION,
    Kind,
    NeedsMarks,
    Request,
    check_seeds,
)
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.encodings.learnt_text import LEARNT
from napari_seedbed.pipeline.engine.parameters import Parameter
from napari_seedbed.pipeline.operations.seeded import AUTOMATIC, DARKER, PUBLISHED, WATERSHED

if TYPE_CHECKING:
    from napari.viewer import Viewer


def shown_parameters() -> list[Parameter]:
    """The parameters that the form shows.

    The seeds layer knows which label is background, `LessonsLine` what was learnt before, the
    second label is what suggestions ask about, and a histogram shows how dark no object is.
    """
    hidden = ("background", LEARNT, "second_label", DARKER)
    return [one for one in operations.get(OPERATION).parameters if one.name not in hidden]


class SeededRequests:
    """Makes requests.

    Parameters
    ----------
    viewer : Viewer
    images : ImageChoice
    seeds : SeedsWatch
    tools : SeedTools
    fields : FieldsWithMore
        Of the `shown_parameters`.
    lessons : LessonsLine
    ground : OneObjectForm
        Has what is no object.
    all_times : callable
        Whether all time points with seeds are wanted, not only those on screen so far.

    Attributes
    ----------
    solved : set of int
        Time points that were on screen for a run.
    wants_doubt : bool
        Whether runs should give the uncertainty.
    """

    def __init__(
        self,
        viewer: "Viewer",
        images: ImageChoice,
        seeds: SeedsWatch,
        tools: SeedTools,
        fields: FieldsWithMore,
        lessons: LessonsLine,
        ground: OneObjectForm,
        all_times: Callable[[], bool],
    ) -> None:
        self._viewer, self._images, self._seeds, self._tools = viewer, images, seeds, tools
        self._fields, self._lessons, self._all_times = fields, lessons, all_times
        self._ground = ground
        self.forget()

    def forget(self) -> None:
        """Begin anew: another image."""
        self.solved: set[int] = set()
        self.wants_doubt = False

    @property
    def can_learn(self) -> bool:
        """Whether what was learnt counts: for the automatic engine with a background."""
        return self._fields.values()["engine"] == AUTOMATIC and self._tools.background() != 0

    def parameters(self) -> dict[str, Any]:
        """The settings; those that only another engine has are at their defaults."""
        values: dict[str, Any] = {
            **self._fields.values(),
            "background": self._tools.background(),
            "second_label": False,
            DARKER: self._ground.darker_than,
            LEARNT: self._lessons.training if self.can_learn else "",
        }
        for declared in operations.get(OPERATION).parameters:
            if declared.only_with is not None and values["engine"] not in declared.only_with[1]:
                watched = self._images.watched
                spacing = None if watched is None else self._images.image().spacing
                values[declared.name] = declared.default_for(spacing)
        return values

    def make(self, kind: Kind) -> Request:
        """What a run of that kind needs."""
        layer = self._images.layer
        image = self._images.image()
        parameters = self.parameters()
        t = time_on_screen(self._viewer, layer)
        view = slice_on_screen(self._viewer, layer)
        if kind == "prepare":
            return Request(image, None, parameters, view=view, time=t, layer=layer)
        if self._seeds.layer is None:
            raise NeedsMarks("There are no seeds yet. Press New seeds, and paint.")
        seeds = seeds_image(self._seeds.layer, layer)
        # The person goes on painting in the layer while this runs.
        seeds = copied_seeds(seeds)
        wanted = tuple(name for name in ("uncertainty", "probabilities") if parameters[name])
        is_cold = parameters["engine"] != PUBLISHED
        times: tuple[int, ...] | None = None
        if t is not None:
            self.solved.add(t)
            if kind == "live":
                times = (t,)
                is_cold = is_cold and not self._all_times() and self.solved == {t}
            elif not self._all_times():
                times = tuple(sorted(self.solved))
        asked = self.wants_doubt or (kind == "exact" and not is_cold)
        if asked and parameters["engine"] != WATERSHED:
            parameters["uncertainty"] = parameters["second_label"] = True
        return Request(
            image=image,
            seeds=seeds,
            parameters=parameters,
            view=view,
            time=t,
            times=times,
            layer=layer,
            wanted=wanted,
            is_cold=is_cold,
            guide=self._tools.guide,
            other=excluded_by(self._ground.mask_layer.layer(), image),
        )

    def missing(self, t: int) -> str:
        """What seeds a time point still needs; empty where it has enough."""
        try:
            seeds = seeds_image(self._seeds.layer, self._images.layer)
            check_seeds(seeds, (t,), self._tools.guide)
        except InputError as error:
            return str(error)
        return ""
