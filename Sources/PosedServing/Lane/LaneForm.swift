/// Which evaluations may share a batch: those of one model at one size of pictures.
package struct LaneForm: Hashable, Sendable {
    /// The model's place in the list of models.
    package var model: Int
    /// Of the picture, in pixels.
    package var width: Int
    package var height: Int

    /// A form as given.
    package init(model: Int, width: Int, height: Int) {
        self.model = model
        self.width = width
        self.height = height
    }
}
