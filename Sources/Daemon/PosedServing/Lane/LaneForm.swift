/// Which evaluations may share a batch: those of one model at one size of pictures, on one lane.
package struct LaneForm: Hashable, Sendable {
    /// The lane's place in the pool.
    package var lane: Int
    /// The model's place in the list of models.
    package var model: Int
    /// Of the picture, in pixels.
    package var width: Int
    package var height: Int

    /// A form as given.
    package init(lane: Int = 0, model: Int, width: Int, height: Int) {
        self.lane = lane
        self.model = model
        self.width = width
        self.height = height
    }

    /// The same on another lane.
    func on(_ lane: Int) -> LaneForm {
        var form = self
        form.lane = lane
        return form
    }
}
