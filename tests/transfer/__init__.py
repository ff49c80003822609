"""Tests of synthsight.transfer."""
