"""Synthetic clothed people: one person in several poses, with exact keypoints, by seed alone."""
