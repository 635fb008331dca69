// expect: trivially_copyable_so_move_its_data_into_a_plain_struct
#include <strait/shared_array.hpp>

struct Shape {
  virtual double area() const { return 0; }
};

void refused() { strait::SharedArray<Shape> array("name", 4); }
